#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What the person at the keyboard wants to see, and how keys change it.

namespace tcpmibd::agent {

enum class KeyName : std::uint8_t {
  kCharacter,
  kUp,
  kDown,
  kLeft,
  kRight,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kEnter,
  kEscape,
  kBackspace,
};

struct Key {
  KeyName name = KeyName::kCharacter;
  char character = 0;  // of kCharacter: an octet, printable
};

// By what rows are sorted.
struct LiveOrder {
  enum class By : std::uint8_t { kBadness, kChange, kColumn };
  By by = By::kBadness;
  std::size_t column = 0;
  bool reversed = false;
};

struct Wish {
  std::string_view word{};  // of kLiveViews
  LiveOrder order{};
  std::string filter{};  // rows that contain it, in any case
  bool typing = false;   // keys belong to the filter
  bool help = false;
  bool now = false;  // a new look at once
  bool quit = false;
  std::size_t first = 0;  // rows scrolled away
};

// A view of the live screen: the key that shows it, and the word that `show` has for it.
struct LiveView {
  char key;
  std::string_view word;
};

inline constexpr LiveView kLiveViews[] = {
    {'1', "processes"},   {'2', "ports"},     {'3', "units"},  {'4', "remotes"},
    {'5', "connections"}, {'6', "listeners"}, {'7', "states"}, {'8', "ages"},
    {'9', "pressure"},    {'0', "scalars"},   {'a', "alarms"},
};

// Where nothing is named: it shows the program that leaks.
inline constexpr std::string_view kFirstLiveView = "processes";

// What is on the screen, as far as keys depend on it.
struct OnScreen {
  std::size_t columns = 0;
  std::size_t rows = 0;    // that match
  std::size_t height = 0;  // rows that fit
};

Wish press(Wish wish, const Key& key, const OnScreen& seen);

}  // namespace tcpmibd::agent
