#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "agent/commands/show/show.h"
#include "support/builders.h"
#include "support/fake_names.h"
#include "support/fakes.h"

// What the tests of `show` stand on.

namespace tcpmibd::agent {

// Process 20 leaks; every other is a web server.
class LeakerAndOthers final : public tcp::ProcessNames {
 public:
  tcp::ProcessIdentity identity_of(std::uint32_t pid) override {
    return {.command = pid == 20 ? "leaker" : "nginx", .uid = 33};
  }
};

// A host made of fakes, and `show` on it.
class Showing : public testing::Test {
 protected:
  using Json = nlohmann::json;

  struct Shown {
    std::string text;
    std::string remarks;
  };

  Result<Shown> show_all(const Options& options, bool colour = false) {
    Shown shown;
    return show(options, config_, {sockets_, processes_, counters_, pressure_, units_, names_},
                colour, [&](std::string_view text) { shown.text += text; })
        .map([&](std::string remarks) {
          shown.remarks = std::move(remarks);
          return shown;
        });
  }

  Shown shown_with_remarks(const Options& options, bool colour = false) {
    const Result<Shown> result = show_all(options, colour);
    EXPECT_TRUE(result) << result.error().text();
    return result.value_or(Shown());
  }

  std::string shown(const Options& options, bool colour = false) {
    return shown_with_remarks(options, colour).text;
  }

  std::string remarks(const Options& options) { return shown_with_remarks(options).remarks; }

  // The rows, or the figures, of what the options name.
  Json shown_json(Options options) {
    options.json = true;
    return Json::parse(shown(options)).at(options.what);
  }

  Config config_;
  lab::FakeSocketSource sockets_;
  lab::FakeProcessLookup processes_;
  lab::FakeCounterSource counters_;
  lab::FakePressureSource pressure_;
  lab::FakeUnitLookup units_;
  LeakerAndOthers names_;
};

}  // namespace tcpmibd::agent
