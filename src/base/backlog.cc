#include "base/backlog.h"

#include <string>

#include "base/message_ids.h"

namespace tcpmibd::log {
namespace {

std::size_t octets_of(const Record& record) {
  std::size_t octets = sizeof record + record.message.size();
  for (const auto& [name, value] : record.fields)
    octets += sizeof record.fields.front() + name.size() + value.size();
  return octets;
}

Record confession(std::uint64_t dropped) {
  const Field id = field_of(kLinesLost);
  return {.level = Level::kWarning,
          .message = "here " + std::to_string(dropped) +
                     (dropped == 1 ? " line is" : " lines are") +
                     " missing from the log: nobody took them in time",
          .fields = {{std::string(id.name), id.value}}};
}

}  // namespace

void Backlog::write(Record record) {
  catch_up();
  const std::size_t octets = octets_of(record);
  // Once one is missing, all are until that is reported in its place.
  if (dropped_ > 0 || octets_ + octets > kMostOctets) {
    ++dropped_;
    return;
  }
  waiting_.push_back(std::move(record));
  octets_ += octets;
  write_waiting();
}

void Backlog::catch_up() {
  if (!write_waiting() || dropped_ == 0)
    return;
  waiting_.push_back(confession(std::exchange(dropped_, 0)));
  octets_ += octets_of(waiting_.back());
  write_waiting();
}

// Whether nothing waits any more.
bool Backlog::write_waiting() {
  while (!waiting_.empty() && outlet_->write(waiting_.front())) {
    octets_ -= octets_of(waiting_.front());
    waiting_.pop_front();
  }
  return waiting_.empty();
}

}  // namespace tcpmibd::log
