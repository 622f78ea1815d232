#pragma once

#include "tables/notifications.h"

namespace tcpmibd::agent {

// Hands a notification to the library, for the receivers that the access file names. Nothing shows
// whether it arrives; without any it vanishes.
void send_notification(const tables::Notification& notification);

}  // namespace tcpmibd::agent
