#include "tests/support/memory/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bson/builder.h"
#include "tests/support/memory/values.h"

namespace tidemark::memory {
namespace {

Bytes Doc(std::int64_t id, std::string_view text = "x") {
  return bson::Builder().Append("_id", id).Append("text", text).Finish();
}

std::optional<Documents::Position> FindId(Documents& documents, std::int64_t id) {
  const Bytes key = bson::Builder().Append("_id", id).Finish();
  return documents.FindId(*bson::Document(key).begin());
}

std::vector<std::int64_t> IdsByOrder(Documents& documents) {
  std::vector<std::int64_t> ids;
  for (const auto& [id, position] : documents.ById()) {
    ids.push_back(id.AsElement().AsInteger().value());
  }
  return ids;
}

class DocumentsTest : public testing::Test {
 protected:
  void Add(std::int64_t id, std::string_view text = "x") {
    documents_.Append(documents_.Keep(Doc(id, text)));
  }

  std::vector<Bytes> Natural() {
    std::vector<Bytes> all;
    for (Documents::Position at = documents_.begin(); at < documents_.end(); ++at) {
      if (const ByteView document = documents_.At(at); !document.empty()) {
        all.push_back(CopyOf(document));
      }
    }
    return all;
  }

  Documents documents_;
};

TEST_F(DocumentsTest, KeepsNaturalOrderAndFindsById) {
  for (const std::int64_t id : {5, 1, 9}) {
    Add(id);
  }
  EXPECT_THAT(Natural(), testing::ElementsAre(Doc(5), Doc(1), Doc(9)));
  EXPECT_THAT(IdsByOrder(documents_), testing::ElementsAre(1, 5, 9));
  EXPECT_EQ(documents_.count(), 3U);
  EXPECT_EQ(documents_.bytes(), 3 * Doc(1).size());
  EXPECT_EQ(FindId(documents_, 1), documents_.begin() + 1);
  EXPECT_EQ(FindId(documents_, 2), std::nullopt);
}

TEST_F(DocumentsTest, DocumentsAddedAfterTheOrderWasAskedForAreInIt) {
  Add(5);
  EXPECT_THAT(IdsByOrder(documents_), testing::ElementsAre(5));
  Add(3);
  EXPECT_THAT(IdsByOrder(documents_), testing::ElementsAre(3, 5));
}

TEST_F(DocumentsTest, ReplacingKeepsThePlaceAndTheOrder) {
  Add(1);
  Add(2);
  documents_.Replace(documents_.begin(), Doc(1, "much longer text"));
  EXPECT_THAT(Natural(), testing::ElementsAre(Doc(1, "much longer text"), Doc(2)));
  EXPECT_THAT(IdsByOrder(documents_), testing::ElementsAre(1, 2));
  EXPECT_EQ(documents_.bytes(), Doc(1, "much longer text").size() + Doc(2).size());
}

TEST_F(DocumentsTest, ErasingLeavesTheOthersWhereTheyAre) {
  for (std::int64_t id = 0; id < 5; ++id) {
    Add(id);
  }
  const Documents::Position third = documents_.begin() + 2;
  documents_.Erase(third);
  EXPECT_TRUE(documents_.At(third).empty());
  EXPECT_EQ(FindId(documents_, 4), third + 2);
  documents_.Erase(documents_.begin());
  EXPECT_EQ(documents_.begin(), 1U);
  EXPECT_THAT(IdsByOrder(documents_), testing::ElementsAre(1, 3, 4));
}

TEST_F(DocumentsTest, SegmentsAreGivenBackOnceTheirDocumentsAreGone) {
  const std::string text(300'000, 'x');
  for (std::int64_t id = 0; id < 100; ++id) {  // several to a segment
    Add(id, text);
    if (id >= 2) {
      documents_.Erase(documents_.begin());
    }
  }
  EXPECT_THAT(Natural(), testing::ElementsAre(Doc(98, text), Doc(99, text)));
}

}  // namespace
}  // namespace tidemark::memory
