#include <dlfcn.h>
#include <pwd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "agent/config/snmpd.h"
#include "agent/snmpd/contained.h"
#include "agent/snmpd/module.h"

// What `dlmod tcpmibd_snmpd PATH` in snmpd.conf calls.

namespace tcpmibd::agent::snmpd {
namespace {

// Never destroyed at snmpd's end, when the library may have gone.
Module* the_module = nullptr;

std::string socket_path() {
  const char* path = std::getenv("TCPMIBD_SNMPD_SOCKET");
  return path != nullptr ? path : std::string(kModuleSocket);
}

std::optional<uid_t> user_called(const char* name) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  if (::getpwnam_r(name, &entry, text.data(), text.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return found->pw_uid;
}

Link::Settings settings() {
  Link::Settings settings{.path = socket_path(), .trusted = {}};
  if (const std::optional<uid_t> user = user_called("tcpmibd"))
    settings.trusted.push_back(*user);
  return settings;
}

// snmpd is about to unload us, and has yet to finish what it would come back to us for: the code
// stays where it is.
void stay_loaded() {
  Dl_info here{};
  if (::dladdr(reinterpret_cast<const void*>(&stay_loaded), &here) != 0)
    ::dlopen(here.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

}  // namespace
}  // namespace tcpmibd::agent::snmpd

// snmpd loads a module anew whenever it reads its configuration again.
extern "C" __attribute__((visibility("default"))) void init_tcpmibd_snmpd() noexcept {
  using namespace tcpmibd::agent::snmpd;  // NOLINT(google-build-using-namespace)
  contained([] {
    if (the_module != nullptr)
      the_module->resume();
    else
      the_module = std::make_unique<Module>(settings()).release();
  });
}

extern "C" __attribute__((visibility("default"))) void deinit_tcpmibd_snmpd() noexcept {
  using namespace tcpmibd::agent::snmpd;  // NOLINT(google-build-using-namespace)
  contained([] {
    if (the_module == nullptr)
      return;
    if (!the_module->retire())
      return stay_loaded();
    const std::unique_ptr<Module> gone(the_module);
    the_module = nullptr;
  });
}
