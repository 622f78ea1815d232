#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/handle.h"
#include "fuzz/targets.h"
#include "kernel/descriptor_tables.h"
#include "kernel/hidden_holders.h"
#include "kernel/holder_records.h"
#include "tcp/process_map.h"

namespace tcpmibd::fuzz {

namespace {

// A file in memory, opened once, that reads as the iterator does.
int file_of(Input bytes) {
  static const FileDescriptor kFile(::memfd_create("records", MFD_CLOEXEC));
  require(::ftruncate(kFile.get(), 0) == 0 &&
              ::pwrite(kFile.get(), bytes.data(), bytes.size(), 0) ==
                  static_cast<ssize_t>(bytes.size()) &&
              ::lseek(kFile.get(), 0, SEEK_SET) == 0,
          "a file is to be had");
  return kFile.get();
}

void judge(const kernel::Holdings& holdings, const std::vector<tcp::Holder>& records) {
  require(holdings.holders.size() + holdings.with_rings.size() == records.size(),
          "each record is a holder, or tells of a ring");
  require(std::ranges::none_of(holdings.holders, [](const auto& each) { return each.inode == 0; }),
          "no socket has inode 0");
  std::map<std::uint32_t, std::set<std::uint32_t>> model;
  std::vector<std::uint32_t> asked{77};
  for (const tcp::Holder& holder : holdings.holders) {
    model[holder.inode].insert(holder.pid);
    asked.push_back(holder.inode);
  }
  const auto map = tcp::ProcessMap::build(holdings.holders, asked, 0, {});
  for (const auto& [inode, pids] : model) {
    require(map.lowest(inode) == *pids.begin(), "the lowest pid");
    require(map.holders(inode).size() == pids.size(), "of all, each once");
    require(map.only({inode}).lowest(inode) == *pids.begin(), "and so in a part of the map");
  }
  require(model.contains(77) || map.lowest(77) == 0U, "nobody's is known to be");
}

void records(Input bytes) {
  const auto read = kernel::read_holders(file_of(bytes), 0);
  require(read.has_value() == (bytes.size() % sizeof(tcp::Holder) == 0), "whole records alone");
  if (!read)
    return;
  require(read->size() == bytes.size() / sizeof(tcp::Holder) &&
              std::equal(bytes.begin(), bytes.end(),
                         reinterpret_cast<const std::uint8_t*>(read->data())),
          "as they are written");
  judge(kernel::holdings_of(*read), *read);
}

// Of a link in /proc/PID/fd, and of the lines of an io_uring.
void links(Draw draw) {
  kernel::RegisteredFiles files;
  while (!draw.is_empty()) {
    const std::string_view line = draw.text_until('\n');
    const auto inode = files.socket_in(line);
    require(!inode || files.is_there(), "a socket stands in a list");
    const auto direct = kernel::socket_inode(line);
    require(!direct || line.find(std::to_string(*direct)) != std::string_view::npos,
            "an inode that was written");
  }
}

}  // namespace

// The input: an octet that says of what: the records of the BPF program, or lines.
void holders(Input input) {
  Draw draw(input);
  if (draw.flag())
    links(draw);
  else
    records(draw.rest());
}

}  // namespace tcpmibd::fuzz
