#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/handle.h"
#include "support/daemon.h"
#include "support/faulty_calls.h"
#include "support/temp_folder.h"

namespace tcpmibd::lab {

// A system call that is to fail: the nth of its kind from the moment this is asked for, 1 being the
// next. It is not made, and the program is told `error`.
struct Fault {
  const FaultyCall* call = nullptr;
  unsigned nth = 1;
};
std::ostream& operator<<(std::ostream& stream, const Fault& fault);

// Decides of each system call in kFaultyCalls that a program makes from main() on, in any of its
// threads and be it by whatever library, whether it is made. The program is started with options()
// and neither traced nor changed; it waits some microseconds for each decision.
//
// One program a time. It must be ended before this object goes, for its calls would then all fail.
//
// Thread:  decides on one of its own; every function may be called at any time.
// Rights:  those of seccomp(2) without no_new_privs: CAP_SYS_ADMIN.
class FaultInjector {
 public:
  FaultInjector();
  ~FaultInjector();
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  // Why no calls can be made to fail here; none where they can.
  static std::optional<std::string> skip_reason();

  // `options` for a program whose calls are to be decided of.
  DaemonOptions supervised(DaemonOptions options) const;

  // From now on: counting begins anew, and this one fails, once. None: none does.
  void begin(const std::optional<Fault>& fault);

  // What has failed since; null: nothing.
  const FaultyCall* failed() const;

  // How often each kind was called since begin().
  std::map<const FaultyCall*, unsigned> counts() const;

 private:
  void listen_and_decide();
  void decide_until_the_end(int listener);
  void decide(int listener);
  int error_for(int number);  // 0: it is made

  TempFolder folder_;
  FileDescriptor socket_;
  FileDescriptor stop_;
  mutable std::mutex mutex_;  // of the following
  std::map<const FaultyCall*, unsigned> counts_;
  std::optional<Fault> fault_;
  const FaultyCall* failed_ = nullptr;
  std::thread thread_;
};

}  // namespace tcpmibd::lab
