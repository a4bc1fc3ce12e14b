#pragma once

#include <bson/bson.h>
#include <mongoc/mongoc.h>

#include "base/bytes.h"
#include "base/c_handle.h"
#include "base/error.h"

namespace tidemark::mongo {

using UriHandle = CHandle<mongoc_uri_t, mongoc_uri_destroy>;
using PoolHandle = CHandle<mongoc_client_pool_t, mongoc_client_pool_destroy>;
using ClientHandle = CHandle<mongoc_client_t, mongoc_client_destroy>;
using CursorHandle = CHandle<mongoc_cursor_t, mongoc_cursor_destroy>;
using CollectionHandle = CHandle<mongoc_collection_t, mongoc_collection_destroy>;
using BulkHandle = CHandle<mongoc_bulk_operation_t, mongoc_bulk_operation_destroy>;
using WriteConcernHandle = CHandle<mongoc_write_concern_t, mongoc_write_concern_destroy>;
using ServerHandle = CHandle<mongoc_server_description_t, mongoc_server_description_destroy>;

inline ByteView BytesOf(const bson_t* document) {
  return {bson_get_data(document), document->len};
}

inline Bytes CopyOf(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

// A bson_t over bytes that somebody else owns. Confined.
class BsonView {
 public:
  explicit BsonView(ByteView bytes) {
    TIDEMARK_CHECK(bson_init_static(&view_, bytes.data(), bytes.size()));
  }

  const bson_t* get() const { return &view_; }

 private:
  bson_t view_{};
};

// A reply that the driver fills; destroyed whatever happens. Confined.
class Reply {
 public:
  Reply() { bson_init(&reply_); }

  ~Reply() { bson_destroy(&reply_); }

  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  // The driver initializes the reply itself: give up what is there first.
  bson_t* Out() {
    bson_destroy(&reply_);
    return &reply_;
  }

  const bson_t* get() const { return &reply_; }

  ByteView bytes() const { return BytesOf(&reply_); }

 private:
  bson_t reply_{};
};

// A client of the pool, returned by destruction on every path. Confined.
class BorrowedClient {
 public:
  explicit BorrowedClient(mongoc_client_pool_t* pool)
      : pool_(pool), client_(mongoc_client_pool_pop(pool)) {
    if (client_ == nullptr) {
      throw Error(ErrorCode::kUnavailable,
                  "waiting for a connection to the cluster: all are in use");
    }
  }

  ~BorrowedClient() { mongoc_client_pool_push(pool_, client_); }

  BorrowedClient(const BorrowedClient&) = delete;
  BorrowedClient& operator=(const BorrowedClient&) = delete;

  mongoc_client_t* get() const { return client_; }

 private:
  mongoc_client_pool_t* pool_;
  mongoc_client_t* client_;
};

}  // namespace tidemark::mongo
