#include "base/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/read_file.h"

namespace tcpmibd {
namespace {

// An entry of an opened folder, or a path.
struct Place {
  int folder;
  const char* entry;
};

std::string named(const InputFile& file) { return std::string(file.role) + file.name; }

const char* kind_of(mode_t mode) {
  if (S_ISFIFO(mode))
    return "a FIFO";
  if (S_ISSOCK(mode))
    return "a socket";
  return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "no regular file";
}

Status judge_kind(const InputFile& file, const struct stat& status) {
  if (S_ISREG(status.st_mode))
    return {};
  if (S_ISDIR(status.st_mode))
    return failure("read " + named(file), EISDIR, "name a file, not a folder");
  return failure("read " + named(file) + ": it is " + kind_of(status.st_mode), 0,
                 "put a regular file in its place");
}

// `name` is "the folder /etc/tcpmibd/conf.d" or a file's.
Status judge_writers(const std::string& name, const std::string& path, const struct stat& status) {
  if ((status.st_mode & S_IWOTH) != 0)
    return failure("use " + name + ": everybody can write it", 0, "chmod o-w " + path);
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0 && status.st_gid != ::getegid())
    return failure("use " + name + ": group " + std::to_string(status.st_gid) +
                       " can write it, which is neither root's nor ours",
                   0, "chmod g-w " + path);
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return failure("use " + name + ": it belongs to user " + std::to_string(status.st_uid) +
                       ", who is neither root nor ours",
                   0, "chown root " + path);
  return {};
}

Status too_large(const InputFile& file) {
  return failure("read " + named(file), EFBIG,
                 "at most " + std::to_string(file.most / 1024) + " KiB are read");
}

Status judge(const InputFile& file, const struct stat& status) {
  if (Status kind = judge_kind(file, status); !kind)
    return kind;
  if (file.writers == InputFile::Writers::kTrusted) {
    if (Status writers = judge_writers(named(file), file.name, status); !writers)
      return writers;
  }
  if (status.st_size > static_cast<off_t>(file.most))
    return too_large(file);
  return {};
}

bool is_link(const Place& place) {
  struct stat status {};
  return ::fstatat(place.folder, place.entry, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(status.st_mode);
}

tl::unexpected<Error> refusal(const InputFile& file, const Place& place, int code) {
  if (code == ENOENT && is_link(place))
    return failure("read " + named(file) + ": it is a link that leads nowhere", 0,
                   "mend the link, or remove it");
  const char* cure = code == EACCES   ? "let the user that runs tcpmibd read it"
                     : code == ENOENT ? "name a file that exists, or none for the defaults"
                                      : "";
  return failure("read " + named(file), code, cure);
}

// Files of /proc have no size, and one may grow while it is read: what is judged large is judged
// once more.
Result<std::string> contents(const InputFile& file, const FileDescriptor& opened) {
  Result<std::string> text = read_opened(opened.get(), named(file), file.most);
  if (!text && text.error().code == EFBIG)
    return tl::unexpected(too_large(file).error());
  return text;
}

Result<std::string> text_alone(const InputFile& file, std::string text) {
  const std::size_t nul = text.find('\0');
  if (nul == std::string::npos)
    return text;
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
  return mistake(file.name + ':' + std::to_string(line),
                 "a NUL octet, which no text has: is this the right file? Write it anew");
}

Result<std::string> read_in(const Place& place, const InputFile& file) {
  struct stat status {};
  if (::fstatat(place.folder, place.entry, &status, 0) != 0)
    return refusal(file, place, errno);
  if (const Status known = judge_kind(file, status); !known)
    return tl::unexpected(known.error());
  const FileDescriptor opened(
      ::openat(place.folder, place.entry, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!opened || ::fstat(opened.get(), &status) != 0)
    return refusal(file, place, errno);
  if (const Status judged = judge(file, status); !judged)
    return tl::unexpected(judged.error());
  return contents(file, opened).and_then([&](std::string text) {
    return text_alone(file, std::move(text));
  });
}

}  // namespace

Result<std::string> read_input(const InputFile& file) {
  return read_in({AT_FDCWD, file.name.c_str()}, file);
}

Result<std::string> read_input(const FileDescriptor& folder, const char* entry,
                               const InputFile& file) {
  return read_in({folder.get(), entry}, file);
}

Status judge_folder(const std::string& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0)
    return failure("look at the folder " + folder, errno,
                   "let the user that runs tcpmibd read it, or remove it");
  return judge_writers("the folder " + folder, folder, status);
}

}  // namespace tcpmibd
