#include "tcp/process_map.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace tcpmibd::tcp {

namespace {

template <typename T>
void sort_unique(std::vector<T>& values) {
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
}

}  // namespace

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
  holders_.insert(holders_.end(), holders.begin(), holders.end());
  sort_unique(holders_);
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

std::span<const Holder> ProcessMap::holders(std::uint32_t inode) const {
  const auto range = std::ranges::equal_range(holders_, inode, {}, &Holder::inode);
  return {range.begin(), range.end()};
}

}  // namespace tcpmibd::tcp
