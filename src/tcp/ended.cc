#include "tcp/ended.h"

namespace tcpmibd::tcp {

const std::array<EndReasonName, kEndReasonCount> kEndReasonNames{{
    {EndReason::kNormal, "normal"},
    {EndReason::kResetByPeer, "resetByPeer"},
    {EndReason::kRefused, "refused"},
    {EndReason::kSynTimedOut, "synTimedOut"},
    {EndReason::kTimedOut, "timedOut"},
    {EndReason::kDestroyed, "destroyed"},
    {EndReason::kAbortedLocally, "abortedLocally"},
    {EndReason::kCancelled, "cancelled"},
    {EndReason::kOther, "other"},
}};

std::string_view name_of(EndReason reason) {
  return kEndReasonNames[static_cast<std::size_t>(reason) - 1].mib;
}

}  // namespace tcpmibd::tcp
