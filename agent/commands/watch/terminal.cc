#include "agent/commands/watch/terminal.h"

#include <dlfcn.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "base/handle.h"

// After all else: its names are macros.
#define NCURSES_NOMACROS 1
#include <curses.h>

namespace tcpmibd::agent {

namespace {

// Of both releases of Debian, and of every other system for some ten years.
constexpr const char* kLibrary = "libncursesw.so.6";

// What is used of ncurses, found at run time: a daemon that never watches does not carry it.
struct Curses {
  decltype(&::newterm) newterm;
  decltype(&::endwin) endwin;
  decltype(&::delscreen) delscreen;
  decltype(&::cbreak) cbreak;
  decltype(&::noecho) noecho;
  decltype(&::curs_set) curs_set;
  decltype(&::set_escdelay) set_escdelay;
  decltype(&::newwin) newwin;
  decltype(&::keypad) keypad;
  decltype(&::nodelay) nodelay;
  decltype(&::wgetch) wgetch;
  decltype(&::werase) werase;
  decltype(&::wmove) wmove;
  decltype(&::waddnstr) waddnstr;
  decltype(&::wattrset) wattrset;
  decltype(&::wcolor_set) wcolor_set;
  decltype(&::wrefresh) wrefresh;
  decltype(&::wresize) wresize;
  decltype(&::clearok) clearok;
  decltype(&::resizeterm) resizeterm;
  decltype(&::getmaxx) getmaxx;
  decltype(&::getmaxy) getmaxy;
  decltype(&::has_colors) has_colors;
  decltype(&::start_color) start_color;
  decltype(&::use_default_colors) use_default_colors;
  decltype(&::init_pair) init_pair;
};

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, Curses& curses) {
#define TCPMIBD_FIND(name) find(library, #name, curses.name)
  return TCPMIBD_FIND(newterm) && TCPMIBD_FIND(endwin) && TCPMIBD_FIND(delscreen) &&
         TCPMIBD_FIND(cbreak) && TCPMIBD_FIND(noecho) && TCPMIBD_FIND(curs_set) &&
         TCPMIBD_FIND(set_escdelay) && TCPMIBD_FIND(newwin) && TCPMIBD_FIND(keypad) &&
         TCPMIBD_FIND(nodelay) && TCPMIBD_FIND(wgetch) && TCPMIBD_FIND(werase) &&
         TCPMIBD_FIND(wmove) && TCPMIBD_FIND(waddnstr) && TCPMIBD_FIND(wattrset) &&
         TCPMIBD_FIND(wcolor_set) && TCPMIBD_FIND(wrefresh) && TCPMIBD_FIND(wresize) &&
         TCPMIBD_FIND(clearok) && TCPMIBD_FIND(resizeterm) && TCPMIBD_FIND(getmaxx) &&
         TCPMIBD_FIND(getmaxy) && TCPMIBD_FIND(has_colors) && TCPMIBD_FIND(start_color) &&
         TCPMIBD_FIND(use_default_colors) && TCPMIBD_FIND(init_pair);
#undef TCPMIBD_FIND
}

// The library stays: it has handlers of its own by then.
Result<Curses> load() {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  Curses curses{};
  if (library == nullptr || !find_all(library, curses))
    return failure(std::string("show a screen without ") + kLibrary +
                   " (package libncursesw6; --watch prints without it into a file or a pipe)");
  return curses;
}

// ---- what is left of the terminal in any case ---------------------------------------------------

// For handlers; null while no screen is shown.
decltype(&::endwin) restore = nullptr;
std::new_handler without_memory = nullptr;

void restore_terminal() {
  if (restore != nullptr)
    std::exchange(restore, nullptr)();
}

// Whatever has gone wrong, the shell must be usable. That endwin() is not made for handlers is
// accepted: without it nothing more can be lost.
extern "C" void end_by_fault(int signal) {
  restore_terminal();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void end_without_memory_on_screen() {
  restore_terminal();
  if (without_memory != nullptr)
    without_memory();
  std::abort();
}

void prepare_for_faults(decltype(&::endwin) endwin) {
  restore = endwin;
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    std::signal(fault, end_by_fault);
  without_memory = std::set_new_handler(end_without_memory_on_screen);
}

// ---- keys, tones, signals -----------------------------------------------------------------------

std::optional<Key> key_of(int code) {
  switch (code) {
    case KEY_UP:
      return Key{KeyName::kUp};
    case KEY_DOWN:
      return Key{KeyName::kDown};
    case KEY_LEFT:
      return Key{KeyName::kLeft};
    case KEY_RIGHT:
      return Key{KeyName::kRight};
    case KEY_PPAGE:
      return Key{KeyName::kPageUp};
    case KEY_NPAGE:
      return Key{KeyName::kPageDown};
    case KEY_HOME:
      return Key{KeyName::kHome};
    case KEY_END:
      return Key{KeyName::kEnd};
    case KEY_ENTER:
    case '\n':
    case '\r':
      return Key{KeyName::kEnter};
    case KEY_BACKSPACE:
    case 127:
    case '\b':
      return Key{KeyName::kBackspace};
    case 27:
      return Key{KeyName::kEscape};
    default:
      break;
  }
  if (code < ' ' || code > 0xff)
    return std::nullopt;
  return Key{KeyName::kCharacter, static_cast<char>(code)};
}

constexpr short kHurtsPair = 1;
constexpr short kGrowsPair = 2;

int attributes_of(Tone tone) {
  switch (tone) {
    case Tone::kStrong:
    case Tone::kHurts:
      return static_cast<int>(A_BOLD);
    case Tone::kWeak:
      return static_cast<int>(A_DIM);
    case Tone::kBar:
      return static_cast<int>(A_REVERSE);
    case Tone::kNormal:
    case Tone::kGrows:
      break;
  }
  return static_cast<int>(A_NORMAL);
}

short colours_of(Tone tone) {
  if (tone == Tone::kHurts)
    return kHurtsPair;
  return tone == Tone::kGrows ? kGrowsPair : static_cast<short>(0);
}

// They come out of a descriptor, so that none is missed between a look and a wait.
FileDescriptor signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGWINCH})
    sigaddset(&set, each);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

// What we print is UTF-8, whatever the locale.
void take_utf8() {
  if (std::setlocale(LC_CTYPE, "") == nullptr || std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0)
    std::setlocale(LC_CTYPE, "C.UTF-8");
}

int milliseconds_until(Time until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

// ---- the terminal -------------------------------------------------------------------------------

class CursesTerminal final : public Terminal {
 public:
  CursesTerminal(const Curses& curses, SCREEN* screen, bool colour)
      : curses_(curses), screen_(screen), window_(curses.newwin(0, 0, 0, 0)), signals_(signals()) {
    curses_.cbreak();
    curses_.noecho();
    curses_.curs_set(0);
    curses_.set_escdelay(25);  // milliseconds: a lone Escape is a key
    curses_.keypad(window_, true);
    curses_.nodelay(window_, true);
    if (colour && curses_.has_colors())
      take_colours();
  }

  ~CursesTerminal() override {
    restore_terminal();
    curses_.delscreen(screen_);
  }

  CursesTerminal(const CursesTerminal&) = delete;
  CursesTerminal& operator=(const CursesTerminal&) = delete;

  ScreenSize size() const override {
    return {.rows = static_cast<std::size_t>(std::max(curses_.getmaxy(window_), 0)),
            .columns = static_cast<std::size_t>(std::max(curses_.getmaxx(window_), 0))};
  }

  void draw(const std::vector<ScreenLine>& lines) override {
    curses_.werase(window_);
    for (std::size_t row = 0; row < lines.size(); ++row) {
      curses_.wmove(window_, static_cast<int>(row), 0);
      for (const ScreenSpan& span : lines[row])
        draw(span);
    }
    curses_.wrefresh(window_);
  }

  Event wait(Time until) override {
    if (const std::optional<Key> key = next_key())
      return {.key = key};
    pollfd waiting[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                        {.fd = signals_.get(), .events = POLLIN, .revents = 0}};
    if (::poll(waiting, std::size(waiting), milliseconds_until(until)) < 0)
      return {.ended = errno != EINTR};
    if (waiting[1].revents != 0)
      return {.ended = take_signals()};
    if ((waiting[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
      return {.ended = true};
    return {.key = waiting[0].revents != 0 ? next_key() : std::nullopt};
  }

 private:
  void take_colours() {
    colour_ = curses_.start_color() == OK;
    curses_.use_default_colors();
    curses_.init_pair(kHurtsPair, COLOR_RED, -1);
    curses_.init_pair(kGrowsPair, COLOR_CYAN, -1);
  }

  void draw(const ScreenSpan& span) {
    curses_.wattrset(window_, attributes_of(span.tone));
    if (colour_ && colours_of(span.tone) != 0)
      curses_.wcolor_set(window_, colours_of(span.tone), nullptr);
    curses_.waddnstr(window_, span.text.data(), static_cast<int>(span.text.size()));
  }

  // The next one that means anything.
  std::optional<Key> next_key() {
    for (int code = curses_.wgetch(window_); code != ERR; code = curses_.wgetch(window_)) {
      if (const std::optional<Key> key = key_of(code))
        return key;
    }
    return std::nullopt;
  }

  // Whether one of them asks for an end.
  bool take_signals() {
    bool ended = false;
    signalfd_siginfo signal;
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo == SIGWINCH)
        resize();
      else
        ended = true;
    }
    return ended;
  }

  void resize() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
      return;
    curses_.resizeterm(size.ws_row, size.ws_col);
    curses_.wresize(window_, size.ws_row, size.ws_col);
    curses_.clearok(window_, true);
  }

  Curses curses_;
  SCREEN* screen_;
  WINDOW* window_;  // belongs to the screen
  FileDescriptor signals_;
  bool colour_ = false;
};

}  // namespace

Result<std::unique_ptr<Terminal>> Terminal::open(bool colour) {
  Result<Curses> curses = load();
  if (!curses)
    return tl::unexpected(curses.error());
  take_utf8();
  SCREEN* screen = curses->newterm(nullptr, stdout, stdin);
  if (screen == nullptr) {
    const char* kind = std::getenv("TERM");
    return failure("show a screen on a terminal of the kind '" +
                   std::string(kind == nullptr ? "" : kind) +
                   "': set TERM to a kind that terminfo knows, such as xterm or vt100");
  }
  prepare_for_faults(curses->endwin);
  return std::make_unique<CursesTerminal>(*curses, screen, colour);
}

}  // namespace tcpmibd::agent
