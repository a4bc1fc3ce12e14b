#pragma once

#include <cstdint>
#include <string>

#include "bson/document.h"

namespace tidemark::bson {

enum class JsonForm : std::uint8_t { kCanonical = 1, kRelaxed = 2 };

// Appends the document in Extended JSON v2 (specifications, "MongoDB Extended JSON") on one line,
// in the very bytes that MongoDB's Go driver writes and with it mongodump and mongoexport: no
// spaces, fields in order, doubles as Go's %G, no escape for <, > and &. Text that is not UTF-8
// gets U+FFFD for each wrong byte, as there. kCorrupt when the document is malformed or nested
// deeper than kMaxDepth; `out` is then left with what was written.
void AppendJson(const Document& document, JsonForm form, std::string& out);
// `text` in quotes.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace tidemark::bson
