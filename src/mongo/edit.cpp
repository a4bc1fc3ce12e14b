#include "mongo/internal/edit.h"

#include <algorithm>

#include "bson/builder.h"
#include "mongo/internal/driver_error.h"
#include "mongo/internal/handles.h"
#include "mongo/internal/write_reply.h"

namespace tidemark::mongo {
namespace {

// One message of deletes: an _id is at most as large as an index key (1024 bytes before 4.2); the
// servers' limit is 100,000.
constexpr std::size_t kMostDeletes = 10000;

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

void DeleteBulk(mongoc_client_t* client, const InsertPlace& place, std::span<const Bytes> ids) {
  const BulkHandle bulk = NewBulk(client, place);
  bson_error_t error;
  for (const Bytes& id : ids) {
    const Bytes selector = SelectorOf(*bson::Document(id).begin());
    const BsonView selector_view(selector);
    if (!mongoc_bulk_operation_remove_one_with_opts(
            bulk.get(), selector_view.get(), nullptr, &error)) {
      ThrowDriverError(error, place.doing);
    }
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

void Recreate(mongoc_client_t* client, const InsertPlace& place, ByteView document) {
  DeleteDocuments(
      client, place, {bson::Builder().AppendElement("", IdOf(document, place.doing)).Finish()});
  InsertDocuments(client, place, {document});
}

}  // namespace

Bytes FilterOfIds(const std::vector<Bytes>& ids) {
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
                      const std::vector<ByteView>& documents) {
  std::vector<ByteView> fitting;
  fitting.reserve(documents.size());
  for (const ByteView document : documents) {
    if (FitsReplacement(document)) {
      fitting.push_back(document);
    } else {
      Recreate(client, place, document);
    }
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
    const std::size_t count = std::min(rest.size(), kMostDeletes);
    DeleteBulk(client, place, rest.first(count));
    rest = rest.subspan(count);
  }
}

}  // namespace tidemark::mongo
