#include "mongo/internal/cursor.h"

#include "bson/builder.h"
#include "mongo/internal/batch_size.h"
#include "mongo/internal/driver_error.h"

namespace tidemark::mongo {

std::uint32_t SelectPrimary(mongoc_client_t* client, const std::string& doing) {
  bson_error_t error;
  const ServerHandle server(mongoc_client_select_server(client, true, nullptr, &error));
  if (server == nullptr) {
    ThrowDriverError(error, doing);
  }
  return mongoc_server_description_id(server.get());
}

void ThrowIfFailed(mongoc_cursor_t* cursor, const std::string& doing) {
  bson_error_t error;
  if (mongoc_cursor_error(cursor, &error)) {
    ThrowDriverError(error, doing);
  }
}

void ThrowIfLost(mongoc_cursor_t* cursor, const std::string& doing) {
  try {
    ThrowIfFailed(cursor, doing);
  } catch (const Error& error) {
    if (IsRetryable(error.code())) {
      throw;
    }
  }
}

std::vector<Bytes> ReadCursor(mongoc_client_t* client,
                              std::uint32_t server,
                              const Reply& reply,
                              const std::string& doing) {
  const Bytes options = bson::Builder()
                            .Append("serverId", static_cast<std::int32_t>(server))
                            .Append("batchSize", std::int64_t{kMostPerBatch})
                            .Finish();
  const BsonView options_view(options);
  // The cursor takes the copy over.
  const CursorHandle cursor(mongoc_cursor_new_from_command_reply_with_opts(
      client, bson_copy(reply.get()), options_view.get()));
  std::vector<Bytes> documents;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    documents.push_back(CopyOf(BytesOf(document)));
  }
  ThrowIfFailed(cursor.get(), doing);
  return documents;
}

}  // namespace tidemark::mongo
