#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "blob/blob_store.h"

namespace tidemark::blob {

// Does what another store does; a test overrides what should go otherwise. The other must outlive
// it.
class ForwardingStore : public BlobStore {
 public:
  explicit ForwardingStore(BlobStore& inner) : inner_(inner) {}

  void Put(std::string_view name, ByteView bytes) override { inner_.Put(name, bytes); }

  Bytes Get(std::string_view name) override { return inner_.Get(name); }

  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
    return inner_.GetRange(name, offset, size);
  }

  std::optional<ByteCount> Size(std::string_view name) override { return inner_.Size(name); }

  void List(std::string_view prefix,
            const std::function<void(const std::string& name, ByteCount size)>& visit) override {
    inner_.List(prefix, visit);
  }

  void Delete(std::string_view name) override { inner_.Delete(name); }

 private:
  BlobStore& inner_;
};

}  // namespace tidemark::blob
