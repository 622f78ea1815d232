#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tcpmibd::agent {

// The known word that `text` was probably meant to be, or empty where none is near: at most a
// third of the letters differ, whatever their case; two neighbours swapped count once.
std::string_view nearest(std::string_view text, std::span<const std::string_view> known);

// "; did you mean 'max-age'?", or nothing where no known word is near.
std::string did_you_mean(std::string_view text, std::span<const std::string_view> known);

}  // namespace tcpmibd::agent
