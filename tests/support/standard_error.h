#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "base/handle.h"
#include "support/trouble.h"

namespace tcpmibd::lab {

// For as long as it lives, our standard error is the other file.
class StandardErrorIs {
 public:
  explicit StandardErrorIs(int descriptor) : before_(::dup(STDERR_FILENO)) { be(descriptor); }
  ~StandardErrorIs() { ::dup2(before_.get(), STDERR_FILENO); }
  StandardErrorIs(const StandardErrorIs&) = delete;
  StandardErrorIs& operator=(const StandardErrorIs&) = delete;

  static void be(int descriptor) {
    if (::dup2(descriptor, STDERR_FILENO) < 0)
      throw Trouble("cannot lead standard error elsewhere");
  }

 private:
  FileDescriptor before_;
};

// A pipe as small as it can be, and what has been read from it.
class Pipe {
 public:
  static constexpr int kSize = 4096;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw Trouble("cannot make a pipe");
    reader = FileDescriptor(ends[0]);
    writer = FileDescriptor(ends[1]);
    ::fcntl(writer.get(), F_SETPIPE_SZ, kSize);
    ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
  }

  // Everything that is there.
  const std::string& read() {
    std::array<char, kSize> buffer;
    for (ssize_t size = 0; (size = ::read(reader.get(), buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(size));
    return text;
  }

  FileDescriptor reader;
  FileDescriptor writer;
  std::string text;
};

}  // namespace tcpmibd::lab
