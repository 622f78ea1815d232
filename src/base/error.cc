#include "base/error.h"

#include <system_error>

#include "base/printable.h"

namespace tcpmibd {

std::string Error::text() const {
  std::string text = (place.empty() ? "cannot " : place + ": ") + doing;
  if (code != 0)
    text += ": " + std::generic_category().message(code);
  if (!cure.empty())
    text += " (" + cure + ")";
  return printable(text);
}

}  // namespace tcpmibd
