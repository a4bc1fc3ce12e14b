#include "mongo/internal/edit.h"

#include <algorithm>

#include "bson/builder.h"
#include "mongo/internal/driver_error.h"
#include "mongo/internal/handles.h"
#include "mongo/internal/write_reply.h"

namespace tidemark::mongo {
namespace {

// _ids in one statement, and their bytes: a command is at most 16 MiB.
constexpr std::size_t kMostDeletes = 1000;
constexpr std::size_t kMostDeletedBytes = 8U << 20;

// Through $eq, for an _id that is a document may begin with a name like an operator's.
Bytes SelectorOf(const bson::Element& id) {
  const bool plain = id.type != bson::Type::kDocument;
  const Bytes equal = bson::Builder().AppendElement("$eq", id).Finish();
  return plain ? bson::Builder().AppendElement("_id", id).Finish()
               : bson::Builder().Append("_id", bson::Document(equal)).Finish();
}

bson::Element IdOf(ByteView document, const std::string& doing) {
  const auto id = bson::Document(document).Find("_id");
  if (!id) {
    throw Error(ErrorCode::kInvalidArgument, doing + ": a document without _id");
  }
  return *id;
}

BulkHandle NewBulk(mongoc_client_t* client, const InsertPlace& place) {
  const CollectionHandle collection(
      mongoc_client_get_collection(client, place.database.c_str(), place.collection.c_str()));
  const Bytes unordered = bson::Builder().Append("ordered", false).Finish();
  const BsonView unordered_view(unordered);
  return BulkHandle(
      mongoc_collection_create_bulk_operation_with_opts(collection.get(), unordered_view.get()));
}

// The reply of a bulk that was carried out.
Bytes Execute(mongoc_bulk_operation_t* bulk, std::size_t sent, const std::string& doing) {
  Reply reply;
  bson_error_t error;
  if (mongoc_bulk_operation_execute(bulk, reply.Out(), &error) == 0) {
    CheckWriteErrors(reply.bytes(), sent, doing);
    ThrowDriverError(error, doing);
  }
  return CopyOf(reply.bytes());
}

void ReplaceBulk(mongoc_client_t* client,
                 const InsertPlace& place,
                 std::span<const ByteView> documents) {
  const Bytes options = bson::Builder().Append("upsert", true).Append("validate", false).Finish();
  const BsonView options_view(options);
  const BulkHandle bulk = NewBulk(client, place);
  bson_error_t error;
  for (const ByteView document : documents) {
    const Bytes selector = SelectorOf(IdOf(document, place.doing));
    const BsonView selector_view(selector);
    const BsonView view(document);
    if (!mongoc_bulk_operation_replace_one_with_opts(
            bulk.get(), selector_view.get(), view.get(), options_view.get(), &error)) {
      ThrowDriverError(error, place.doing);
    }
  }
  const Bytes reply = Execute(bulk.get(), documents.size(), place.doing);
  const bson::Document counts(reply);
  CheckAllTaken(IntegerMember(counts, "nMatched") + IntegerMember(counts, "nUpserted"),
                documents.size(),
                place.doing);
}

// One statement for all: a server that has no index on _id for every type (FerretDB) reads the
// whole collection for each statement.
void DeleteBulk(mongoc_client_t* client, const InsertPlace& place, std::span<const Bytes> ids) {
  const BulkHandle bulk = NewBulk(client, place);
  const Bytes selector = FilterOfIds(ids);
  const BsonView selector_view(selector);
  bson_error_t error;
  if (!mongoc_bulk_operation_remove_many_with_opts(
          bulk.get(), selector_view.get(), nullptr, &error)) {
    ThrowDriverError(error, place.doing);
  }
  Execute(bulk.get(), ids.size(), place.doing);
}

bool FitsReplacement(ByteView document) {
  for (const bson::Element& element : bson::Document(document)) {
    if (element.name.starts_with('$') || element.name.find('.') != std::string_view::npos) {
      return false;
    }
  }
  return document.size() <= kMaxBulkDocument;
}

void Recreate(mongoc_client_t* client,
              const InsertPlace& place,
              const std::vector<ByteView>& documents) {
  std::vector<Bytes> ids;
  ids.reserve(documents.size());
  for (const ByteView document : documents) {
    ids.push_back(bson::Builder().AppendElement("", IdOf(document, place.doing)).Finish());
  }
  DeleteDocuments(client, place, ids);
  InsertDocuments(client, place, documents);
}

}  // namespace

Bytes FilterOfIds(std::span<const Bytes> ids) {
  bson::Builder list;
  std::size_t next = 0;
  for (const Bytes& id : ids) {
    list.AppendElement(std::to_string(next++), *bson::Document(id).begin());
  }
  const Bytes array = list.Finish();
  const Bytes among = bson::Builder().AppendArray("$in", bson::Document(array)).Finish();
  return bson::Builder().Append("_id", bson::Document(among)).Finish();
}

void ReplaceDocuments(mongoc_client_t* client,
                      const InsertPlace& place,
                      const std::vector<ByteView>& documents,
                      ReplaceBy by) {
  std::vector<ByteView> fitting;
  std::vector<ByteView> others;
  for (const ByteView document : documents) {
    const bool fits = by == ReplaceBy::kReplacing && FitsReplacement(document);
    (fits ? fitting : others).push_back(document);
  }
  if (!others.empty()) {
    Recreate(client, place, others);
  }
  std::span<const ByteView> rest(fitting);
  while (!rest.empty()) {
    const std::size_t count = std::max<std::size_t>(BulkLength(rest), 1);
    ReplaceBulk(client, place, rest.first(count));
    rest = rest.subspan(count);
  }
}

void DeleteDocuments(mongoc_client_t* client,
                     const InsertPlace& place,
                     const std::vector<Bytes>& ids) {
  std::span<const Bytes> rest(ids);
  while (!rest.empty()) {
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < std::min(rest.size(), kMostDeletes); ++count) {
      bytes += rest[count].size();
      if (count > 0 && bytes > kMostDeletedBytes) {
        break;
      }
    }
    DeleteBulk(client, place, rest.first(count));
    rest = rest.subspan(count);
  }
}

}  // namespace tidemark::mongo
