#pragma once

namespace tcpmibd::agent {

// A function that the library calls at an event, for as long as this object lives. It must be gone
// when the library is shut down, which frees the arguments of callbacks as if they were its own.
class Callback {
 public:
  using Function = int(int major, int minor, void* event, void* self);

  // Those with a lower priority are called first; the library's own have 0.
  Callback(int major, int minor, Function* function, void* self, int priority = 0);
  ~Callback();
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

 private:
  int major_, minor_;
  Function* function_;
  void* self_;
};

}  // namespace tcpmibd::agent
