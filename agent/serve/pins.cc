#include "agent/serve/pins.h"

#include <algorithm>

namespace tcpmibd::agent {

// Mostly it is the one of the binding before.
Pin& Pins::of(Transaction transaction, Moment moment) {
  if (last_ >= pins_.size() || pins_[last_].transaction != transaction)
    last_ = number_of(transaction);
  Pin& pin = pins_[last_];
  // snmpd does not number what it asks for itself: each of those is a PDU of its own.
  if (transaction.id == 0 && pin.arrived != moment.arrived)
    pin = {.transaction = transaction};
  pin.arrived = moment.arrived;
  pin.last_used = moment.now;
  return pin;
}

std::size_t Pins::number_of(Transaction transaction) {
  auto pin = std::ranges::find(pins_, transaction, &Pin::transaction);
  if (pin == pins_.end() && pins_.size() < kMost)
    pin = pins_.insert(pins_.end(), Pin{.transaction = transaction});
  else if (pin == pins_.end())
    *(pin = std::ranges::min_element(pins_, {}, &Pin::last_used)) = {.transaction = transaction};
  return static_cast<std::size_t>(pin - pins_.begin());
}

void Pins::let_go(const tcp::Snapshot& snapshot) {
  for (Pin& pin : pins_) {
    if (pin.snapshot.data.lock().get() == &snapshot)
      pin.snapshot = {};
  }
}

void Pins::tidy(Time now) {
  std::erase_if(pins_, [&](const Pin& pin) {
    return now - pin.last_used > (pin.waits ? kLongestWait : kUnused);
  });
}

}  // namespace tcpmibd::agent
