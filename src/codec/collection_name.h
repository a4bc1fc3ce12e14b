#pragma once

#include <optional>
#include <string>
#include <string_view>

// A collection's name as mongodump writes it into a file name (docs/downloads.md, "Names"). No I/O,
// no state; any thread may call.
namespace tidemark::codec {

// URL query escaping; what is longer than 238 bytes then is cut to 208 and ends in a hash: the
// whole name is in the metadata.
std::string EscapeCollection(std::string_view collection);
// Back. nullopt when it is no escaping, and for a name with a hash, which does not tell.
std::optional<std::string> UnescapeCollection(std::string_view escaped);
// Whether that escaping ends in a hash.
bool IsHashedName(std::string_view escaped);

}  // namespace tidemark::codec
