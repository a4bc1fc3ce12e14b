#include "mongo/internal/insert.h"

#include <algorithm>

#include "bson/builder.h"
#include "mongo/internal/driver_error.h"
#include "mongo/internal/handles.h"

namespace tidemark::mongo {
namespace {

// One bulk: below the server's 48,000,000 byte message and 100,000 documents, with room for the
// command.
constexpr std::size_t kMaxBulkBytes = 40U << 20;
constexpr std::size_t kMaxBulkDocuments = 100000;
// The driver refuses larger documents in a bulk by itself; some servers (FerretDB) hold them
// anyway.
constexpr std::size_t kMaxBulkDocument = 16U << 20;
constexpr std::size_t kShownRefusals = 3;

std::optional<bson::Document> ArrayMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsDocument() : std::nullopt;
}

std::int64_t IntegerMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsInteger().value_or(0) : 0;
}

std::string TextMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? std::string(element->AsString().value_or("")) : std::string();
}

// Throws when the reply lists refused documents.
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

void InsertBulk(mongoc_collection_t* collection,
                const std::string& doing,
                std::span<const ByteView> documents) {
  const Bytes unordered = bson::Builder().Append("ordered", false).Finish();
  // Names with dots and dollars are legal in stored documents: the server decides, not the driver.
  const Bytes unchecked = bson::Builder().Append("validate", false).Finish();
  const BsonView unordered_view(unordered);
  const BsonView unchecked_view(unchecked);
  const BulkHandle bulk(
      mongoc_collection_create_bulk_operation_with_opts(collection, unordered_view.get()));
  bson_error_t error;
  for (const ByteView document : documents) {
    const BsonView view(document);
    if (!mongoc_bulk_operation_insert_with_opts(
            bulk.get(), view.get(), unchecked_view.get(), &error)) {
      ThrowDriverError(error, doing);
    }
  }
  Reply reply;
  if (mongoc_bulk_operation_execute(bulk.get(), reply.Out(), &error) == 0) {
    CheckWriteErrors(reply.bytes(), documents.size(), doing);
    ThrowDriverError(error, doing);
  }
  CheckAllTaken(IntegerMember(bson::Document(reply.bytes()), "nInserted"), documents.size(), doing);
}

void InsertLarge(mongoc_client_t* client, const InsertPlace& place, ByteView document) {
  const Bytes array = bson::ArrayBuilder().Append(bson::Document(document)).Finish();
  const Bytes command = bson::Builder()
                            .Append("insert", place.collection)
                            .AppendArray("documents", bson::Document(array))
                            .Append("ordered", false)
                            .Finish();
  const BsonView view(command);
  Reply reply;
  bson_error_t error;
  if (!mongoc_client_command_simple(
          client, place.database.c_str(), view.get(), nullptr, reply.Out(), &error)) {
    ThrowDriverError(error, place.doing);
  }
  CheckWriteErrors(reply.bytes(), 1, place.doing);
  CheckAllTaken(IntegerMember(bson::Document(reply.bytes()), "n"), 1, place.doing);
}

// How many documents from the front go into one bulk; 0 when the first one is too large for any.
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

}  // namespace

void InsertDocuments(mongoc_client_t* client,
                     const InsertPlace& place,
                     const std::vector<ByteView>& documents) {
  const CollectionHandle collection(
      mongoc_client_get_collection(client, place.database.c_str(), place.collection.c_str()));
  std::span<const ByteView> rest(documents);
  while (!rest.empty()) {
    const std::size_t count = BulkLength(rest);
    if (count == 0) {
      InsertLarge(client, place, rest.front());
    } else {
      InsertBulk(collection.get(), place.doing, rest.first(count));
    }
    rest = rest.subspan(std::max<std::size_t>(count, 1));
  }
}

}  // namespace tidemark::mongo
