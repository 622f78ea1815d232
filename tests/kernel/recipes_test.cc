#include "support/scenes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kernel/every_recipe.h"
#include "support/deadline.h"
#include "support/ss.h"

// The laboratory is judged before it judges: every recipe by `ss`, which shares no line with
// tcpmibd.

namespace tcpmibd::lab {
namespace {

std::string observed(const Stage& stage, const Recipe& recipe, const Ends& ends) {
  return recipe.ss == std::string("LISTEN") ? listener_by_ss(stage.a, ends.local)
                                            : state_by_ss(stage.a, ends);
}

void expect_held(const Stage& stage, const Recipe& recipe) {
  const Scene scene = recipe.play(stage);
  const auto state = [&] { return observed(stage, recipe, scene.watched); };
  EXPECT_EQ(settled(state, std::string(recipe.ss)), recipe.ss) << scene.watched;
}

TEST_P(EveryRecipe, HoldsItsStateOnACable) {
  const TwoHosts hosts;
  for (const Family family : {Family::kV4, Family::kV6, Family::kMapped})
    expect_held(on_cable(hosts, family), GetParam());
}

TEST_P(EveryRecipe, HoldsItsStateOnTheLoopback) {
  const Namespace space;
  for (const Family family : {Family::kV4, Family::kV6, Family::kMapped})
    expect_held(on_loopback(space, family), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Recipes, EveryRecipe,
                         testing::ValuesIn(recipes().begin(), recipes().end()), name_of_recipe);

}  // namespace
}  // namespace tcpmibd::lab
