#pragma once

#include <string>
#include <string_view>

#include "base/log.h"

// The lines that operators and their programs wait for. Each carries its id in the journal,
// whatever its words become: an id is never changed and never used for another event.

namespace tcpmibd::log {

struct MessageId {
  std::string_view id;  // 128 bits, as systemd-id128(1) makes them
  std::string_view event;
};

inline constexpr MessageId kRegistered{
    "e530cbff8e5a4202a443b701bde5e329",
    "tcpmibd has registered with its master: managers get its answers"};
inline constexpr MessageId kMasterLost{"ae3c46635a8f4a929e06299c2cba9b7f",
                                       "a master that tcpmibd was registered with is away"};
inline constexpr MessageId kConnectionEnded{"6d26dadbc45a4cd3a3570f57cff7cb88",
                                            "a Set has ended a connection, or a listener"};
inline constexpr MessageId kDeletionRefused{
    "67ac3f86497a457680705a841ff666c8",
    "a Set that was to end one was refused, by us or by the kernel"};
inline constexpr MessageId kAlarmRaised{"40d60f1930cf4df99f84b3d02a452927", "an alarm is raised"};
inline constexpr MessageId kAlarmCleared{"80848a5350ab48e1acc266bfd7a07fab", "an alarm is cleared"};
inline constexpr MessageId kLinesLost{
    "181c184eb56848dcb55304b1620eb754",
    "lines of the log are missing here: nobody took them in time"};

inline constexpr const MessageId* kMessageIds[] = {
    &kRegistered,  &kMasterLost,   &kConnectionEnded, &kDeletionRefused,
    &kAlarmRaised, &kAlarmCleared, &kLinesLost,
};

// systemd.journal-fields(7).
inline Field field_of(const MessageId& message) { return {"MESSAGE_ID", std::string(message.id)}; }

}  // namespace tcpmibd::log
