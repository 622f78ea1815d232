#include "agent/serve/end_numbers.h"

#include <fcntl.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/input_file.h"
#include "base/log.h"
#include "base/replace_file.h"
#include "base/words.h"
#include "survey/history.h"

namespace tcpmibd::agent {
namespace {

constexpr const char* kNumberFile = "ended";

// 0, as if nothing had been given, for what is no number.
std::uint32_t number_in(std::string_view text) {
  return number<std::uint32_t>(take_until(text, '\n')).value_or(0);
}

}  // namespace

EndNumbers::EndNumbers(std::string folder) : folder_(std::move(folder)) { open(); }

std::uint32_t EndNumbers::next() {
  if (left_ == 0)
    reserve();
  --left_;
  return last_ = tcp::number_after(last_);
}

void EndNumbers::open() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  opened_ = FileDescriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened_) {
    complain(failure("open the folder " + folder_, errno).value());
    return;
  }
  const Result<std::string> text = read_input(
      opened_, kNumberFile,
      {.name = folder_ + '/' + kNumberFile, .most = 64, .writers = InputFile::Writers::kAnybody});
  if (text)
    last_ = number_in(*text);
  else if (text.error().code != ENOENT)
    complain(text.error());
}

void EndNumbers::reserve() {
  left_ = kBlock;
  auto end = static_cast<std::uint32_t>(last_ + kBlock);
  if (end < last_)
    ++end;  // 0 is no number
  if (opened_ && !replace_file(opened_, kNumberFile, std::to_string(end) + '\n'))
    complain(failure("write " + folder_ + '/' + kNumberFile, errno).value());
}

void EndNumbers::complain(const Error& error) {
  if (!std::exchange(complained_, true))
    log::warning(error.text() +
                 "; the numbers of connections that have ended begin anew with the next start");
}

}  // namespace tcpmibd::agent
