#include "mongo/internal/write_reply.h"

#include "mongo/internal/driver_error.h"

namespace tidemark::mongo {
namespace {

// One bulk: below the server's 48,000,000 byte message and 100,000 documents, with room for the
// command.
constexpr std::size_t kMaxBulkBytes = 40U << 20;
constexpr std::size_t kMaxBulkDocuments = 100000;
constexpr std::size_t kShownRefusals = 3;

std::optional<bson::Document> ArrayMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsDocument() : std::nullopt;
}

std::string TextMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? std::string(element->AsString().value_or("")) : std::string();
}

}  // namespace

std::size_t BulkLength(std::span<const ByteView> documents) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const ByteView document : documents) {
    bytes += document.size();
    if (document.size() > kMaxBulkDocument || bytes > kMaxBulkBytes || count == kMaxBulkDocuments) {
      break;
    }
    ++count;
  }
  return count;
}

std::int64_t IntegerMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsInteger().value_or(0) : 0;
}

void CheckWriteErrors(ByteView reply, std::size_t sent, const std::string& doing) {
  const auto errors = ArrayMember(bson::Document(reply), "writeErrors");
  if (!errors || errors->empty()) {
    return;
  }
  std::size_t count = 0;
  std::int64_t code = 0;
  std::string reasons;
  for (const bson::Element& element : *errors) {
    const bson::Document refusal = element.AsDocument().value_or(bson::Document());
    code = count == 0 ? IntegerMember(refusal, "code") : code;
    if (count++ < kShownRefusals) {
      reasons += (reasons.empty() ? "" : "; ") + TextMember(refusal, "errmsg");
    }
  }
  throw MakeServerError(static_cast<std::uint32_t>(code),
                        doing + ": " + std::to_string(count) + " of " + std::to_string(sent) +
                            " documents refused: " + reasons);
}

void CheckAllTaken(std::int64_t taken, std::size_t sent, const std::string& doing) {
  if (taken != static_cast<std::int64_t>(sent)) {
    throw Error(ErrorCode::kUnavailable,
                doing + ": the server took " + std::to_string(taken) + " of " +
                    std::to_string(sent) + " documents without saying why");
  }
}

}  // namespace tidemark::mongo
