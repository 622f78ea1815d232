#include "tcp/process_map.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ranges>
#include <utility>

#include "base/sort_unique.h"

namespace tcpmibd::tcp {

ProcessMap ProcessMap::build(std::vector<Holder> holders, std::vector<std::uint32_t> asked,
                             std::uint32_t denied, Time began) {
  ProcessMap map;
  sort_unique(holders);
  map.holders_ = std::move(holders);
  sort_unique(asked);
  std::ranges::set_difference(asked, std::views::transform(map.holders_, &Holder::inode),
                              std::back_inserter(map.ownerless_));
  map.denied_ = denied;
  map.taken_at_ = began;
  return map;
}

void ProcessMap::add(std::vector<Holder> holders) {
  if (holders.empty())
    return;
  std::ranges::sort(holders);
  const auto known = static_cast<std::ptrdiff_t>(holders_.size());
  holders_.insert(holders_.end(), holders.begin(), holders.end());
  std::ranges::inplace_merge(holders_, holders_.begin() + known);
  holders_.erase(std::ranges::unique(holders_).begin(), holders_.end());
  std::erase_if(ownerless_, [this](std::uint32_t inode) { return !this->holders(inode).empty(); });
}

std::optional<std::uint32_t> ProcessMap::lowest(std::uint32_t inode) const {
  if (inode == 0)
    return 0;
  if (const auto found = holders(inode); !found.empty())
    return found.front().pid;
  if (std::ranges::binary_search(ownerless_, inode))
    return 0;
  return std::nullopt;
}

ProcessMap ProcessMap::only(std::vector<std::uint32_t> inodes) const {
  std::erase_if(inodes, [this](std::uint32_t inode) { return !lowest(inode); });
  std::vector<Holder> held;
  for (const std::uint32_t inode : inodes)
    std::ranges::copy(holders(inode), std::back_inserter(held));
  return build(std::move(held), std::move(inodes), denied_, taken_at_);
}

std::span<const Holder> ProcessMap::holders(std::uint32_t inode) const {
  const auto range = std::ranges::equal_range(holders_, inode, {}, &Holder::inode);
  return {range.begin(), range.end()};
}

}  // namespace tcpmibd::tcp
