#include "mongo/internal/insert.h"

#include <algorithm>

#include "bson/builder.h"
#include "mongo/internal/driver_error.h"
#include "mongo/internal/handles.h"
#include "mongo/internal/write_reply.h"

namespace tidemark::mongo {
namespace {

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
  if (!mongoc_client_write_command_with_opts(
          client, place.database.c_str(), view.get(), nullptr, reply.Out(), &error)) {
    CheckWriteErrors(reply.bytes(), 1, place.doing);
    ThrowDriverError(error, place.doing);
  }
  CheckWriteErrors(reply.bytes(), 1, place.doing);
  CheckAllTaken(IntegerMember(bson::Document(reply.bytes()), "n"), 1, place.doing);
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
