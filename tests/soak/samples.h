#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

// What a process held in the course of a day, and whether that has grown.

namespace tcpmibd::lab {

struct Sample {
  long memory = 0;  // resident, in KiB
  std::size_t descriptors = 0;
  std::size_t threads = 0;
};

// The first half of what is looked at is a warm-up; its second half and the last are compared.
constexpr std::size_t kFewestSamples = 8;

struct Growth {
  Sample before;
  Sample after;
};

namespace samples {

using Iterator = std::vector<Sample>::const_iterator;

// The least of what it held: what is held for a while only, such as a connection, does not count.
template <typename Part>
Part least(Iterator first, Iterator last, Part Sample::*part) {
  const auto by_part = [part](const Sample& a, const Sample& b) { return a.*part < b.*part; };
  return (*std::min_element(first, last, by_part)).*part;
}

inline long median_memory(Iterator first, Iterator last) {
  std::vector<long> memory;
  std::transform(first, last, std::back_inserter(memory), [](const Sample& s) { return s.memory; });
  const auto middle = memory.begin() + static_cast<std::ptrdiff_t>(memory.size() / 2);
  std::nth_element(memory.begin(), middle, memory.end());
  return *middle;
}

inline Sample held(Iterator first, Iterator last) {
  return {.memory = median_memory(first, last),
          .descriptors = least(first, last, &Sample::descriptors),
          .threads = least(first, last, &Sample::threads)};
}

}  // namespace samples

// Of at least kFewestSamples: the second quarter against the last.
inline Growth growth_of(const std::vector<Sample>& all) {
  const auto at = [&](std::size_t quarter) {
    return all.begin() + static_cast<std::ptrdiff_t>(all.size() * quarter / 4);
  };
  return {.before = samples::held(at(1), at(2)), .after = samples::held(at(3), at(4))};
}

// Whether the process holds as much as before, but for `noise` KiB of memory.
inline bool is_flat(const Growth& growth, long noise) {
  return growth.after.memory <= growth.before.memory + noise &&
         growth.after.descriptors <= growth.before.descriptors &&
         growth.after.threads <= growth.before.threads;
}

inline std::ostream& operator<<(std::ostream& stream, const Sample& sample) {
  return stream << sample.memory << " KiB, " << sample.descriptors << " descriptors, "
                << sample.threads << " threads";
}

inline std::ostream& operator<<(std::ostream& stream, const Growth& growth) {
  return stream << growth.before << "; then " << growth.after;
}

}  // namespace tcpmibd::lab
