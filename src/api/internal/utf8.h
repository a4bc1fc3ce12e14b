#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::api {

// Takes one code point off the front of `text`; nullopt when it does not begin with well-formed
// UTF-8 (no overlong form, no surrogate), which takes nothing off.
std::optional<char32_t> TakeCodePoint(std::string_view& text);

// `text` with every ill-formed byte replaced by U+FFFD: a path may hold anything, a JSON body may
// not.
std::string MakeWellFormed(std::string_view text);

// ^[\p{L}\p{N}\-_.(),:&@+']{1,64}$ of TenantRestore.targetDeploymentItemName.
bool IsDeploymentItemName(std::string_view text);

}  // namespace tidemark::api
