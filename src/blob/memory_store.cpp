#include <map>

#include "base/error.h"
#include "base/mutex.h"
#include "blob/blob_store.h"

namespace tidemark::blob {
namespace {

class MemoryStore final : public BlobStore {
 public:
  void Put(std::string_view name, ByteView bytes) override {
    CheckBlobName(name);
    const MutexLock lock(mutex_);
    const auto [at, added] = blobs_.try_emplace(std::string(name), bytes.begin(), bytes.end());
    if (!added) {
      throw Error(ErrorCode::kConflict, "storing blob " + std::string(name) + ": it exists");
    }
  }

  Bytes Get(std::string_view name) override {
    CheckBlobName(name);
    const MutexLock lock(mutex_);
    return Find(name);
  }

  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
    CheckBlobName(name);
    const MutexLock lock(mutex_);
    const Bytes& blob = Find(name);
    if (offset > blob.size() || size > blob.size() - offset) {
      throw Error(ErrorCode::kCorrupt, "reading blob " + std::string(name) + ": it ends too early");
    }
    const ByteView range = ByteView(blob).subspan(offset, size);
    return {range.begin(), range.end()};
  }

  std::optional<ByteCount> Size(std::string_view name) override {
    CheckBlobName(name);
    const MutexLock lock(mutex_);
    const auto found = blobs_.find(name);
    return found == blobs_.end() ? std::nullopt : std::optional(ByteCount{found->second.size()});
  }

  void List(std::string_view prefix,
            const std::function<void(const std::string&, ByteCount)>& visit) override {
    std::vector<std::pair<std::string, ByteCount>> found;
    {
      const MutexLock lock(mutex_);
      for (const auto& [name, bytes] : blobs_) {
        if (name.starts_with(prefix)) {
          found.emplace_back(name, ByteCount{bytes.size()});
        }
      }
    }
    for (const auto& [name, size] : found) {  // outside of the lock: the visitor may use the store
      visit(name, size);
    }
  }

  void Delete(std::string_view name) override {
    CheckBlobName(name);
    const MutexLock lock(mutex_);
    if (const auto found = blobs_.find(name); found != blobs_.end()) {
      blobs_.erase(found);
    }
  }

 private:
  const Bytes& Find(std::string_view name) TIDEMARK_REQUIRES(mutex_) {
    const auto found = blobs_.find(name);
    if (found == blobs_.end()) {
      throw Error(ErrorCode::kNotFound, "reading blob " + std::string(name) + ": there is none");
    }
    return found->second;
  }

  Mutex mutex_;
  std::map<std::string, Bytes, std::less<>> blobs_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<BlobStore> MakeMemoryStore() {
  return std::make_unique<MemoryStore>();
}

}  // namespace tidemark::blob
