#include "tables/notifications.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/own_tables.h"

namespace tcpmibd::tables {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using testing::ElementsAre;

// "1.12.1.0 OCTET STRING leak", each object in its order.
std::vector<std::string> texts(const Notification& notification) {
  std::vector<std::string> texts;
  for (const snmp::Cell& object : notification.objects) {
    const snmp::OidView below = object.name.view().subspan(std::size(kArc));
    texts.push_back(snmp::to_text(below) + " " + to_text(object.value.value()));
  }
  return texts;
}

tcp::AlarmEvent event(tcp::AlarmState state) {
  return {.alarm = {.rule = alarm_rule(
                        "leak", {.state = tcp::State::kCloseWait, .per = tcp::Measure::Per::kPort},
                        500),
                    .state = state,
                    .value = 620,
                    .worst = "port 443",
                    .offenders = 2,
                    .pid = 812,
                    .command = "nginx"},
          .lasted = 3723s + 900ms};
}

TEST(Notifications, OfARaisedAlarmTellWhatWasFoundWhere) {
  const Notification notification = notification_of(event(tcp::AlarmState::kRaised));
  EXPECT_EQ(notification.name, own_oid("0.1"));
  EXPECT_THAT(
      texts(notification),
      ElementsAre("1.12.1.0 OCTET STRING leak",
                  "1.10.1.2.4.108.101.97.107 OCTET STRING closeWait per port",
                  "1.10.1.7.4.108.101.97.107 OCTET STRING port 443",
                  "1.10.1.4.4.108.101.97.107 Gauge32 620", "1.10.1.5.4.108.101.97.107 Gauge32 500",
                  "1.10.1.8.4.108.101.97.107 Gauge32 2", "1.10.1.9.4.108.101.97.107 Gauge32 812",
                  "1.10.1.10.4.108.101.97.107 OCTET STRING nginx"));
}

TEST(Notifications, OfAClearedAlarmTellHowLongItWasRaised) {
  const Notification notification = notification_of(event(tcp::AlarmState::kClear));
  EXPECT_EQ(notification.name, own_oid("0.2"));
  EXPECT_THAT(
      texts(notification),
      ElementsAre("1.12.1.0 OCTET STRING leak",
                  "1.10.1.2.4.108.101.97.107 OCTET STRING closeWait per port",
                  "1.10.1.7.4.108.101.97.107 OCTET STRING port 443",
                  "1.10.1.4.4.108.101.97.107 Gauge32 620", "1.10.1.6.4.108.101.97.107 Gauge32 400",
                  "1.10.1.11.4.108.101.97.107 Gauge32 3723"));
}

const DeletedConnection kDeleted{.local = "10.0.0.1:443",
                                 .remote = "10.0.0.9:4711",
                                 .state = tcp::State::kCloseWait,
                                 .pid = 812,
                                 .command = "nginx"};

TEST(Notifications, OfADeletedConnectionTellBothEnds) {
  const Notification notification = notification_of(kDeleted);
  EXPECT_EQ(notification.name, own_oid("0.3"));
  EXPECT_THAT(
      texts(notification),
      ElementsAre("1.12.2.0 OCTET STRING 10.0.0.1:443", "1.12.3.0 OCTET STRING 10.0.0.9:4711",
                  "1.12.4.0 Integer32 8", "1.12.5.0 Gauge32 812", "1.12.6.0 OCTET STRING nginx"));
}

// The MIB is compared with the descriptors; these are compared with what is sent.
TEST(Notifications, AreSentAsTheirDescriptorsSay) {
  const Notification sent[] = {notification_of(event(tcp::AlarmState::kRaised)),
                               notification_of(event(tcp::AlarmState::kClear)),
                               notification_of(kDeleted)};
  const std::vector<NotificationInfo> described = notifications();
  ASSERT_EQ(described.size(), std::size(sent));
  for (std::size_t i = 0; i < described.size(); ++i) {
    EXPECT_EQ(sent[i].name, described[i].oid) << described[i].name;
    ASSERT_EQ(sent[i].objects.size(), described[i].objects.size()) << described[i].name;
    for (std::size_t j = 0; j < described[i].objects.size(); ++j)
      EXPECT_TRUE(snmp::starts_with(sent[i].objects[j].name.view(), described[i].objects[j].view()))
          << described[i].name << " " << sent[i].objects[j].name;
  }
}

TEST(Notifications, SendObjectsInTheSyntaxesThatAreServed) {
  std::vector<snmp::ObjectInfo> infos = notification_objects();
  for (const Entry& entry : registry())
    infos.insert(infos.end(), entry.object->objects().begin(), entry.object->objects().end());
  for (const Notification& notification :
       {notification_of(event(tcp::AlarmState::kRaised)),
        notification_of(event(tcp::AlarmState::kClear)), notification_of(kDeleted)}) {
    for (const snmp::Cell& object : notification.objects) {
      const auto info = std::ranges::find_if(infos, [&](const snmp::ObjectInfo& candidate) {
        return snmp::starts_with(object.name.view(), candidate.oid.view());
      });
      ASSERT_NE(info, infos.end()) << object.name;
      EXPECT_EQ(snmp::syntax_of(object.value.value()), info->syntax) << info->name;
    }
  }
}

}  // namespace
}  // namespace tcpmibd::tables
