#include "engine/document_source.h"

#include <algorithm>

#include "base/error.h"
#include "bson/builder.h"
#include "engine/internal/document_key.h"
#include "engine/internal/stored_name.h"

namespace tidemark::engine {
namespace {

// A reply must stay below the driver's 48,000,000 bytes, and not every server ends it by itself.
constexpr std::uint64_t kReplyBytes = 12U << 20;
constexpr std::uint64_t kFirstPage = 4;  // documents, while their size is unknown
constexpr std::uint64_t kMostPerPage = 500;

class MongoDocuments final : public DocumentSource {
 public:
  explicit MongoDocuments(mongo::Connection& connection) : connection_(connection) {}

  void Find(const repo::RunUse& use, const std::vector<Bytes>& ids, const Visitor& visit) override {
    connection_.FindByIds(use.database, StoredName(use.kind, use.collection), ids, visit);
  }

  void FindFrom(const repo::RunUse& use,
                const Bytes& first_id,
                std::uint64_t count,
                const std::stop_token& stop,
                const Visitor& visit) override {
    Page page{.from = first_id, .operation = "$gte", .limit = kFirstPage};
    std::uint64_t largest = 1;
    while (count > 0) {
      if (stop.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "reading the source: cancelled");
      }
      page.limit = std::min(page.limit, count);
      std::uint64_t found = 0;
      ReadPage(use, page, [&](ByteView document) {
        ++found;
        largest = std::max<std::uint64_t>(largest, document.size());
        page.last = EncodeKey(KeyOf(bson::Document(document)));
        visit(document);
      });
      if (found == 0) {
        return;
      }
      count -= std::min(found, count);
      page.from = page.last;
      page.operation = "$gt";
      page.limit = std::clamp<std::uint64_t>(kReplyBytes / largest, 1, kMostPerPage);
    }
  }

 private:
  struct Page {
    Bytes from;
    const char* operation;
    std::uint64_t limit = 0;
    Bytes last;
  };

  void ReadPage(const repo::RunUse& use, const Page& page, const Visitor& visit) {
    const Bytes bound =
        bson::Builder().AppendElement(page.operation, *bson::Document(page.from).begin()).Finish();
    const Bytes filter = bson::Builder().Append("_id", bson::Document(bound)).Finish();
    const Bytes sort = bson::Builder().Append("_id", std::int32_t{1}).Finish();
    const Bytes command = bson::Builder()
                              .Append("find", StoredName(use.kind, use.collection))
                              .Append("filter", bson::Document(filter))
                              .Append("sort", bson::Document(sort))
                              .Append("limit", static_cast<std::int64_t>(page.limit))
                              .Append("singleBatch", true)
                              .Finish();
    const Bytes reply = connection_.RunCommand(use.database, bson::Document(command));
    const auto cursor = bson::Document(reply).Find("cursor");
    const auto body = cursor ? cursor->AsDocument() : std::nullopt;
    const auto batch = body ? body->Find("firstBatch") : std::nullopt;
    const auto documents = batch ? batch->AsDocument() : std::nullopt;
    if (!documents) {
      throw Error(
          ErrorCode::kUnavailable,
          "reading " + use.database + "." + use.collection + ": the answer holds no documents");
    }
    for (const bson::Element& element : *documents) {
      visit(element.AsDocument().value_or(bson::Document()).bytes());
    }
  }

  mongo::Connection& connection_;
};

}  // namespace

std::unique_ptr<DocumentSource> MakeMongoDocuments(mongo::Connection& connection) {
  return std::make_unique<MongoDocuments>(connection);
}

}  // namespace tidemark::engine
