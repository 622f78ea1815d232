#include "tables/groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tables/registry.h"

namespace tcpmibd::tables {
namespace {

TEST(Groups, HaveObjectsAndEveryObjectIsOfOne) {
  Groups used;
  for (const Entry& entry : registry())
    used.insert(entry.group);
  EXPECT_EQ(used, every_group());
}

TEST(Groups, HaveAWordEach) {
  Groups named;
  for (const NamedGroup& each : kGroups)
    EXPECT_TRUE(named.insert(each.group).second) << each.word;
  EXPECT_EQ(named.size(), std::size(kGroups));
}

}  // namespace
}  // namespace tcpmibd::tables
