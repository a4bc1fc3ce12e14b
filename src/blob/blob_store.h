#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/units.h"

namespace tidemark::blob {

// Named immutable blobs. A name is `/`-separated segments of [a-z0-9.-], at most 200 bytes. No
// segment starts with `.` or holds `.tmp-` (kept for a store's own files), and no name is a folder
// of another one.
//
// What every implementation promises (tests/conformance/blob_store_suite.h holds them to it):
// - Put is atomic and durable: after it returned, a crash loses nothing; before, nobody sees any of
// it.
// - Write-once: Put of an existing name throws kConflict and changes nothing.
// - Read after write, list after write, at once.
// - Synchronized: all calls from any thread. All of them block.
// Errors: kNotFound, kConflict, kResourceExhausted (full), kIo, kUnavailable and kTimeout (worth a
// retry).
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  virtual void Put(std::string_view name, ByteView bytes) = 0;
  // The whole blob. kNotFound when there is none.
  virtual Bytes Get(std::string_view name) = 0;
  // Exactly `size` bytes at `offset`; kCorrupt when the blob ends before.
  virtual Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) = 0;
  // nullopt when there is none.
  virtual std::optional<ByteCount> Size(std::string_view name) = 0;
  // Calls `visit` for each name that starts with `prefix`, in any order. Half-written blobs never
  // show.
  virtual void List(std::string_view prefix,
                    const std::function<void(const std::string& name, ByteCount size)>& visit) = 0;
  // Deleting what is not there is no error.
  virtual void Delete(std::string_view name) = 0;
};

// A directory. Names are paths below `root`, which is created (mode 0700) when missing.
std::unique_ptr<BlobStore> OpenDirectoryStore(const std::string& root);

// A directory that is only read: nothing in it is created, changed or removed, so that another
// process may be writing, and the disk may be mounted read-only. Put and Delete throw
// kPermissionDenied. kNotFound when there is no such directory.
std::unique_ptr<BlobStore> OpenDirectoryStoreForReading(const std::string& root);

// In memory. For tests and benchmarks.
std::unique_ptr<BlobStore> MakeMemoryStore();

// Throws kInvalidArgument unless the name is as promised above.
void CheckBlobName(std::string_view name);

}  // namespace tidemark::blob
