#include <gmock/gmock.h>

#include "engine/document_source.h"
#include "tests/support/memory_server_fixture.h"

// The documents that a repair asks a cluster for.
namespace tidemark::memory {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

Bytes Id(std::int64_t id) {
  return bson::Builder().Append("", id).Finish();
}

class MongoDocumentsTest : public MemoryServerTest {
 protected:
  MongoDocumentsTest() {
    use_.database = "shop";
    use_.collection = "orders";
  }

  void Fill(std::int64_t count) {
    std::vector<Bytes> documents;
    for (std::int64_t id = count; id-- > 0;) {
      documents.push_back(Doc(id));
    }
    Insert("orders", documents);
  }

  engine::DocumentSource::Visitor Keep() {
    return [this](ByteView document) {
      seen_.push_back(IntegerAt(bson::Document(document), "_id", -1));
    };
  }

  repo::RunUse use_;
  std::unique_ptr<engine::DocumentSource> documents_ = engine::MakeMongoDocuments(*connection_);
  std::vector<std::int64_t> seen_;
};

TEST_F(MongoDocumentsTest, FindsByIds) {
  Fill(10);
  documents_->Find(use_, {Id(7), Id(2), Id(77)}, Keep());
  EXPECT_THAT(seen_, UnorderedElementsAre(2, 7));
}

TEST_F(MongoDocumentsTest, ReadsOnInOrderPageByPage) {
  Fill(1500);
  documents_->FindFrom(use_, Id(200), 1200, {}, Keep());
  ASSERT_THAT(seen_, SizeIs(1200));
  EXPECT_EQ(seen_.front(), 200);
  EXPECT_EQ(seen_.back(), 1399);
  EXPECT_TRUE(std::ranges::is_sorted(seen_));
}

TEST_F(MongoDocumentsTest, EndsWithTheCollection) {
  Fill(6);
  documents_->FindFrom(use_, Id(4), 100, {}, Keep());
  EXPECT_THAT(seen_, ElementsAre(4, 5));
  use_.collection = "nothing";
  documents_->FindFrom(use_, Id(4), 100, {}, Keep());
  EXPECT_THAT(seen_, SizeIs(2));
}

TEST_F(MongoDocumentsTest, ReadsTheBucketsOfATimeSeriesCollection) {
  Insert("system.buckets.weather", {Doc(1)});
  use_.collection = "weather";
  use_.kind = repo::NamespaceKind::kTimeseries;
  documents_->Find(use_, {Id(1)}, Keep());
  documents_->FindFrom(use_, Id(0), 1, {}, Keep());
  EXPECT_THAT(seen_, ElementsAre(1, 1));
}

TEST_F(MongoDocumentsTest, StopsWhenAsked) {
  Fill(6);
  std::stop_source stop;
  stop.request_stop();
  const Failure failure =
      FailureOf([&] { documents_->FindFrom(use_, Id(0), 6, stop.get_token(), Keep()); });
  EXPECT_EQ(failure.code, ErrorCode::kCancelled);
  EXPECT_THAT(seen_, IsEmpty());
}

}  // namespace
}  // namespace tidemark::memory
