#include "engine/internal/sort_buffer.h"

#include <gtest/gtest.h>

#include "tests/support/engine_fixture.h"

namespace tidemark::engine {
namespace {

void AddTo(SortBuffer& buffer, const Bytes& document) {
  buffer.Add(document, KeyOf(bson::Document(document)));
}

std::vector<Bytes> Sorted(SortBuffer& buffer) {
  std::vector<Bytes> documents;
  buffer.ForEachSorted([&](ByteView document, const DocumentKey&) {
    documents.emplace_back(document.begin(), document.end());
  });
  return documents;
}

TEST(SortBuffer, NeverExceedsItsBudgetByMoreThanOneDocument) {
  SeededRandom random(3);
  SortBuffer buffer(KiB(64));
  for (int i = 0; i < 1000; ++i) {
    const Bytes document = MixedDocument(random, i);
    if (!buffer.Fits(document.size())) {
      buffer.Clear();
    }
    AddTo(buffer, document);
    EXPECT_LE(buffer.used(), KiB(64));
  }
}

TEST(SortBuffer, TakesOneDocumentAboveTheBudget) {
  SortBuffer buffer(KiB(1));
  const Bytes large = NumberedDocument(1, std::string(5000, 'x'));
  EXPECT_TRUE(buffer.Fits(large.size()));
  AddTo(buffer, large);
  EXPECT_FALSE(buffer.Fits(1));
  EXPECT_EQ(Sorted(buffer), std::vector<Bytes>{large});
  buffer.Clear();
  EXPECT_EQ(buffer.used(), ByteCount{0});
}

TEST(SortBuffer, GivesItsMemoryBack) {
  SortBuffer buffer(MiB(1));
  AddTo(buffer, NumberedDocument(1, std::string(5000, 'x')));
  EXPECT_GT(buffer.room(), ByteCount{5000});
  buffer.Release();
  EXPECT_EQ(buffer.room(), ByteCount{0});
  EXPECT_TRUE(buffer.empty());
  AddTo(buffer, NumberedDocument(2));
  EXPECT_EQ(Sorted(buffer), std::vector<Bytes>{NumberedDocument(2)});
}

TEST(SortBuffer, SortsMixedTypesByValue) {
  SeededRandom random(4);
  SortBuffer buffer(MiB(1));
  std::vector<Bytes> documents;
  for (int i = 0; i < 500; ++i) {
    documents.push_back(MixedDocument(random, i));
    AddTo(buffer, documents.back());
  }
  std::ranges::sort(documents, IdLess);
  EXPECT_EQ(Sorted(buffer), documents);
}

TEST(SortBuffer, OrdersByMoreThanAPrefix) {
  SortBuffer buffer(MiB(1));
  std::vector<Bytes> documents;
  for (const char* id : {"a", "aaaaaaaa", "aaaaaaaaa", "aaaaaaaab", "b"}) {
    documents.push_back(bson::Builder().Append("_id", id).Finish());
  }
  for (const int i : {3, 1, 4, 0, 2}) {
    AddTo(buffer, documents[i]);
  }
  EXPECT_EQ(Sorted(buffer), documents);
}

TEST(SortBuffer, OrdersNegativeNumbersAndBinariesOfOneKind) {
  SortBuffer numbers(MiB(1));
  AddTo(numbers, NumberedDocument(1));
  AddTo(numbers, NumberedDocument(-5));
  EXPECT_EQ(Sorted(numbers), (std::vector{NumberedDocument(-5), NumberedDocument(1)}));
  SortBuffer binaries(MiB(1));
  const Bytes longer = bson::Builder().AppendBinary("_id", AsBytes("aa")).Finish();
  const Bytes shorter = bson::Builder().AppendBinary("_id", AsBytes("b")).Finish();
  AddTo(binaries, longer);
  AddTo(binaries, shorter);
  EXPECT_EQ(Sorted(binaries), (std::vector{shorter, longer}));
}

TEST(SortBuffer, KeepsTheLaterOfEqualIds) {
  SortBuffer buffer(MiB(1));
  AddTo(buffer, NumberedDocument(2, "old"));
  AddTo(buffer, NumberedDocument(1, "only"));
  const Bytes later = bson::Builder().Append("_id", 2.0).Append("text", "new").Finish();
  AddTo(buffer, later);
  EXPECT_EQ(Sorted(buffer), (std::vector{NumberedDocument(1, "only"), later}));
}

TEST(SortBuffer, NeverDropsDocumentsWithoutAnId) {
  SortBuffer buffer(MiB(1));
  const Bytes nameless = bson::Builder().Append("a", 1).Finish();
  const Bytes min = NumberedDocument(1);
  AddTo(buffer, min);
  AddTo(buffer, nameless);
  AddTo(buffer, nameless);
  EXPECT_EQ(Sorted(buffer), (std::vector{nameless, nameless, min}));
}

}  // namespace
}  // namespace tidemark::engine
