#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "bson/document.h"

// What all bulk writes share: how much goes into one, and what the answer says.
namespace tidemark::mongo {

// The driver refuses larger documents in a bulk by itself; some servers (FerretDB) hold them
// anyway.
inline constexpr std::size_t kMaxBulkDocument = 16U << 20;  // bytes

// How many documents from the front go into one bulk; 0 when the first one is too large for any.
std::size_t BulkLength(std::span<const ByteView> documents);

// A number in a reply; 0 when it is not there.
std::int64_t IntegerMember(const bson::Document& document, std::string_view name);

// Throws when the reply lists refused documents, with their number and the first few reasons.
void CheckWriteErrors(ByteView reply, std::size_t sent, const std::string& doing);

// Throws kUnavailable unless the server took as many as were sent.
void CheckAllTaken(std::int64_t taken, std::size_t sent, const std::string& doing);

}  // namespace tidemark::mongo
