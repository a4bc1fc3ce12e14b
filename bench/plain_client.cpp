#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <mongoc/mongoc.h>

#include "base/c_handle.h"

// The least that any program has to do: reads one collection through the driver and counts its
// bytes, or writes documents into one with unordered bulks. What a backup or restore is compared
// with.
namespace tidemark {
namespace {

using Client = CHandle<mongoc_client_t, mongoc_client_destroy>;
using Collection = CHandle<mongoc_collection_t, mongoc_collection_destroy>;
using Cursor = CHandle<mongoc_cursor_t, mongoc_cursor_destroy>;
using Bulk = CHandle<mongoc_bulk_operation_t, mongoc_bulk_operation_destroy>;

constexpr int kBulk = 1000;  // documents

struct Counted {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
};

// Also to standard output, for a pipe into gzip, when asked.
Counted Read(mongoc_collection_t* collection, bool dump) {
  bson_t filter = BSON_INITIALIZER;
  const Cursor cursor(mongoc_collection_find_with_opts(collection, &filter, nullptr, nullptr));
  Counted counted;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    ++counted.documents;
    counted.bytes += document->len;
    if (dump) {
      std::fwrite(bson_get_data(document), 1, document->len, stdout);
    }
  }
  return counted;
}

// From one collection into another, so that the documents are real ones; only writing is timed.
Counted Copy(mongoc_collection_t* from, mongoc_collection_t* to, double& seconds) {
  bson_t filter = BSON_INITIALIZER;
  const Cursor cursor(mongoc_collection_find_with_opts(from, &filter, nullptr, nullptr));
  Counted counted;
  const bson_t* document = nullptr;
  for (bool more = true; more;) {
    const bson_t options = BSON_INITIALIZER;  // ordered; a bulk of one kind is one command anyway
    const Bulk bulk(mongoc_collection_create_bulk_operation_with_opts(to, &options));
    mongoc_bulk_operation_set_bypass_document_validation(bulk.get(), false);
    int count = 0;
    while (count < kBulk && (more = mongoc_cursor_next(cursor.get(), &document))) {
      mongoc_bulk_operation_insert(bulk.get(), document);
      counted.bytes += document->len;
      ++count;
    }
    counted.documents += static_cast<std::uint64_t>(count);
    if (count > 0) {
      const auto begin = std::chrono::steady_clock::now();
      bson_error_t error;
      if (mongoc_bulk_operation_execute(bulk.get(), nullptr, &error) == 0) {
        fmt::print(stderr, "error: {}\n", error.message);
        std::exit(EXIT_FAILURE);
      }
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
  }
  return counted;
}

int Run(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const bool copies = mode == "write" && argc == 6;
  if (!copies && !((mode == "read" || mode == "dump") && argc == 5)) {
    fmt::print(stderr,
               "usage: plain_client read|dump URI DATABASE COLLECTION\n"
               "       plain_client write URI DATABASE COLLECTION TARGET_URI\n");
    return EXIT_FAILURE;
  }
  const Client client(mongoc_client_new(argv[2]));
  const Collection from(mongoc_client_get_collection(client.get(), argv[3], argv[4]));
  const auto begin = std::chrono::steady_clock::now();
  double seconds = 0;
  Counted counted;
  if (copies) {
    const Client target(mongoc_client_new(argv[5]));
    const Collection to(mongoc_client_get_collection(target.get(), argv[3], argv[4]));
    counted = Copy(from.get(), to.get(), seconds);
  } else {
    counted = Read(from.get(), mode == "dump");
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  fmt::print(stderr,
             "{} documents, {:.2f} s, {:.0f} MB/s\n",
             counted.documents,
             seconds,
             static_cast<double>(counted.bytes) / 1e6 / seconds);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  mongoc_init();
  const int status = tidemark::Run(argc, argv);
  mongoc_cleanup();
  return status;
}
