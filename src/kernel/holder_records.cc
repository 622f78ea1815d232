#include "kernel/holder_records.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <type_traits>
#include <utility>

namespace tcpmibd::kernel {

namespace {

using tcp::Holder;

// The kernel's buffer has eight pages (bpf_seq_read), so that a larger one is never filled.
constexpr std::size_t kBlock = 32 * 1024;

static_assert(std::is_trivially_copyable_v<Holder> && sizeof(Holder) == 8 &&
              offsetof(Holder, inode) == 0 && offsetof(Holder, pid) == 4);

// Room for another block after the first `bytes`, which may end within a record.
void make_room(std::vector<Holder>& holders, std::size_t bytes) {
  holders.resize((bytes + kBlock) / sizeof(Holder) + 1);
}

}  // namespace

// Straight into the array: a million records are not copied again.
Result<std::vector<Holder>> read_holders(int descriptor, std::size_t expected) {
  std::vector<Holder> holders;
  holders.reserve(expected + kBlock / sizeof(Holder) + 1);
  std::size_t bytes = 0;
  for (ssize_t size = -1; size != 0;) {
    make_room(holders, bytes);
    size = ::read(descriptor, reinterpret_cast<std::byte*>(holders.data()) + bytes, kBlock);
    if (size > 0)
      bytes += static_cast<std::size_t>(size);
    // EAGAIN: the kernel has looked at a million files, none of them a socket, and takes a breath.
    else if (size < 0 && errno != EINTR && errno != EAGAIN)
      return failure("read the holders of sockets from the BPF iterator", errno);
  }
  if (bytes % sizeof(Holder) != 0)
    return failure("read the last holder of a socket from the BPF iterator: it is cut");
  holders.resize(bytes / sizeof(Holder));
  return holders;
}

Holdings holdings_of(std::vector<Holder> records) {
  Holdings holdings{.every_table = true};
  const auto rings =
      std::ranges::partition(records, [](const Holder& record) { return record.inode != 0; });
  std::ranges::transform(rings, std::back_inserter(holdings.with_rings), &Holder::pid);
  records.erase(rings.begin(), rings.end());
  holdings.holders = std::move(records);
  return holdings;
}

}  // namespace tcpmibd::kernel
