#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support/netns.h"
#include "support/scenes.h"

namespace tcpmibd::lab {

// A test to be played once for each state a socket can be in; one whose recipe needs what is not
// to be had here skips with the reason.
class EveryRecipe : public testing::TestWithParam<Recipe> {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
    if (const auto& reason = Namespace::filter_skip_reason(); reason && GetParam().needs_filter)
      GTEST_SKIP() << *reason;
  }
};

inline std::string name_of_recipe(const testing::TestParamInfo<Recipe>& tested) {
  return tested.param.name;
}

}  // namespace tcpmibd::lab
