#include "engine/document_reader.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/support/engine_fixture.h"

namespace tidemark::engine {
namespace {

using testing::HasSubstr;

// Runs built by hand: one chunk each.
class DocumentReaderTest : public EngineFixture {
 protected:
  DocumentReaderTest() : writer_(repository_->NewSnapshot(options_.project, {})) {
    entry_.database = "db";
    entry_.collection = "c";
  }

  static Bytes IdOf(std::int64_t id) { return bson::Builder().Append("", id).Finish(); }

  repo::Run& AddRun(const std::vector<std::pair<std::int64_t, std::string>>& documents) {
    Bytes plain;
    for (const auto& [id, text] : documents) {
      const Bytes document = NumberedDocument(id, text);
      plain.insert(plain.end(), document.begin(), document.end());
    }
    const auto count = static_cast<std::uint32_t>(documents.size());
    const Bytes first = IdOf(documents.front().first);
    repo::Run& run = entry_.runs.emplace_back();
    run.documents = count;
    run.first_id = first;
    run.last_id = IdOf(documents.back().first);
    run.lists.push_back(writer_->StoreList({{writer_->Store(plain), first}}));
    return run;
  }

  // As AddRun, but in chunks of two documents and lists of three chunks.
  repo::Run& AddScatteredRun(const std::vector<std::pair<std::int64_t, std::string>>& documents) {
    std::vector<repo::SnapshotWriter::ListedChunk> chunks;
    for (std::size_t i = 0; i < documents.size(); i += 2) {
      Bytes plain;
      for (std::size_t k = i; k < std::min(i + 2, documents.size()); ++k) {
        const Bytes document = NumberedDocument(documents[k].first, documents[k].second);
        plain.insert(plain.end(), document.begin(), document.end());
      }
      chunks.push_back({writer_->Store(plain), IdOf(documents[i].first)});
    }
    repo::Run& run = entry_.runs.emplace_back();
    run.documents = documents.size();
    run.first_id = IdOf(documents.front().first);
    run.last_id = IdOf(documents.back().first);
    for (std::size_t i = 0; i < chunks.size(); i += 3) {
      run.lists.push_back(writer_->StoreList(
          {chunks.begin() + i, chunks.begin() + std::min(i + 3, chunks.size())}));
    }
    return run;
  }

  // That from each document on the rest is read, and nothing else.
  void ExpectEverySuffix() {
    const std::vector<Bytes> all = ReadAll();
    const auto reader = repository_->NewReader(options_.project);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::int64_t id = *bson::Document(all[i]).Find("_id")->AsInteger();
      std::vector<Bytes> rest;
      ReadDocumentsFrom(*reader,
                        entry_,
                        {.documents = i, .id = IdOf(id)},
                        {},
                        [&](ByteView document, const codec::Digest& hash) {
                          EXPECT_EQ(hash, codec::Sha256(document));
                          rest.emplace_back(document.begin(), document.end());
                        });
      EXPECT_EQ(rest, std::vector<Bytes>(all.begin() + i, all.end())) << "from " << i;
    }
  }

  std::vector<Bytes> ReadAll() {
    repo::Manifest manifest;
    manifest.snapshot = options_.snapshot;
    manifest.project = options_.project;
    manifest.namespaces.push_back(entry_);
    writer_->Commit(manifest);
    return Read(entry_);
  }

  // The message of the failure.
  std::string ReadFailure(ErrorCode code) {
    try {
      ReadAll();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return std::string(error.message());
    }
    return "no failure";
  }

  std::unique_ptr<repo::SnapshotWriter> writer_;
  repo::NamespaceEntry entry_;
};

TEST_F(DocumentReaderTest, LaterRunWinsOnEqualIds) {
  AddRun({{1, "old"}, {2, "old"}, {5, "old"}});
  AddRun({{2, "new"}, {3, "new"}});
  AddRun({{3, "newest"}, {5, "newest"}});
  EXPECT_EQ(ReadAll(),
            (std::vector{NumberedDocument(1, "old"),
                         NumberedDocument(2, "new"),
                         NumberedDocument(3, "newest"),
                         NumberedDocument(5, "newest")}));
}

TEST_F(DocumentReaderTest, ReadsDisjointRunsInOrderOfId) {
  AddRun({{7, "b"}, {8, "b"}});
  AddRun({{1, "a"}, {2, "a"}});
  EXPECT_EQ(ReadAll(),
            (std::vector{NumberedDocument(1, "a"),
                         NumberedDocument(2, "a"),
                         NumberedDocument(7, "b"),
                         NumberedDocument(8, "b")}));
}

TEST_F(DocumentReaderTest, NaturalOrderIsKept) {
  AddRun({{7, "b"}, {1, "a"}, {7, "c"}}).natural_order = true;
  EXPECT_EQ(
      ReadAll(),
      (std::vector{NumberedDocument(7, "b"), NumberedDocument(1, "a"), NumberedDocument(7, "c")}));
}

TEST_F(DocumentReaderTest, NothingIsReadOfAnEmptyNamespace) {
  EXPECT_TRUE(ReadAll().empty());
}

TEST_F(DocumentReaderTest, TheRestIsReadFromEachDocumentOn) {
  std::vector<std::pair<std::int64_t, std::string>> base;
  std::vector<std::pair<std::int64_t, std::string>> changes;
  for (std::int64_t id = 0; id < 61; ++id) {
    base.emplace_back(3 * id, "base");
    if (id % 4 == 0) {
      changes.emplace_back(3 * id + id % 3, "change");
    }
  }
  AddScatteredRun(base);
  AddScatteredRun(changes);
  AddScatteredRun({{6, "gone"}, {7, "gone"}, {180, "gone"}}).deletes = true;
  AddScatteredRun({{-5, "outside"}, {-4, "outside"}});
  AddScatteredRun({{500, "outside"}, {501, "outside"}});
  ExpectEverySuffix();
}

TEST_F(DocumentReaderTest, TheRestIsReadFromEachDocumentOnInNaturalOrder) {
  std::vector<std::pair<std::int64_t, std::string>> documents;
  for (std::int64_t i = 0; i < 41; ++i) {
    documents.emplace_back(i * 17 % 23, std::to_string(i));
  }
  AddScatteredRun(documents).natural_order = true;
  AddScatteredRun({{3, "b"}, {1, "a"}, {2, "c"}}).natural_order = true;
  ExpectEverySuffix();
}

TEST_F(DocumentReaderTest, TheRestAfterAllThatARunHoldsIsEmptyOrCorrupt) {
  AddRun({{1, "a"}, {2, "b"}}).natural_order = true;
  EXPECT_EQ(ReadAll().size(), 2U);
  const auto reader = repository_->NewReader(options_.project);
  const auto none = [](ByteView, const codec::Digest&) { FAIL(); };
  ReadDocumentsFrom(*reader, entry_, {.documents = 2}, {}, none);
  entry_.runs[0].documents = 5;
  EXPECT_THROW(ReadDocumentsFrom(*reader, entry_, {.documents = 3}, {}, none), Error);
}

TEST_F(DocumentReaderTest, ChunksThatEndBeforeThePlaceAreNotRead) {
  std::vector<std::pair<std::int64_t, std::string>> documents;
  for (std::int64_t id = 0; id < 40; ++id) {
    documents.emplace_back(id, "x");
  }
  repo::Run& run = AddScatteredRun(documents);
  const repo::ChunkRef missing{.id = {1}, .plain_size = 60, .documents = 2};
  run.lists[1] = writer_->StoreList({{missing, IdOf(6)}, {missing, IdOf(8)}, {missing, IdOf(10)}});
  EXPECT_THAT(ReadFailure(ErrorCode::kNotFound), HasSubstr("run 1 list 2 chunk 1"));
  const auto reader = repository_->NewReader(options_.project);
  std::size_t read = 0;
  const auto count = [&](ByteView, const codec::Digest&) { ++read; };
  ReadDocumentsFrom(*reader, entry_, {.documents = 12, .id = IdOf(12)}, {}, count);
  EXPECT_EQ(read, 28U);
  run.natural_order = true;
  ReadDocumentsFrom(*reader, entry_, {.documents = 12}, {}, count);
  EXPECT_EQ(read, 56U);
}

TEST_F(DocumentReaderTest, WrongDocumentCountOfARunIsCorrupt) {
  AddRun({{1, "a"}}).documents = 2;
  EXPECT_EQ(ReadFailure(ErrorCode::kCorrupt),
            "reading db.c run 1 list 1 chunk 1: the run holds 1 documents, the manifest says 2");
}

TEST_F(DocumentReaderTest, WrongDocumentCountOfAChunkIsCorrupt) {
  repo::Run& run = AddRun({{1, "a"}});
  const Bytes plain = NumberedDocument(2);
  repo::ChunkRef wrong = writer_->Store(plain);
  wrong.documents = 3;
  run.lists = {writer_->StoreList({{wrong, IdOf(2)}})};
  run.first_id = IdOf(2);
  EXPECT_EQ(ReadFailure(ErrorCode::kCorrupt),
            "reading db.c run 1 list 1 chunk 1: holds 1 documents, listed with 3");
}

TEST_F(DocumentReaderTest, WrongFirstIdIsCorrupt) {
  AddRun({{1, "a"}}).first_id = IdOf(0);
  EXPECT_EQ(ReadFailure(ErrorCode::kCorrupt),
            "reading db.c run 1 list 1 chunk 1: the first _id is not the one that the manifest "
            "names");
}

TEST_F(DocumentReaderTest, MissingChunkIsNamedWithItsPlace) {
  repo::Run& run = AddRun({{1, "a"}});
  run.lists = {writer_->StoreList({{repo::ChunkRef{.plain_size = 10, .documents = 1}, IdOf(1)}})};
  EXPECT_THAT(ReadFailure(ErrorCode::kNotFound), HasSubstr("reading db.c run 1 list 1 chunk 1: "));
}

TEST_F(DocumentReaderTest, StopsBeforeAChunk) {
  AddRun({{1, "a"}});
  stop_.request_stop();
  EXPECT_EQ(ReadFailure(ErrorCode::kCancelled), "reading db.c: cancelled");
}

TEST_F(DocumentReaderTest, AFailureOfTheVisitorIsNotRenamed) {
  AddRun({{1, "a"}});
  ReadAll();
  const auto reader = repository_->NewReader(options_.project);
  try {
    ReadDocuments(*reader, entry_, {}, [](ByteView) {
      throw Error(ErrorCode::kUnavailable, "writing: target is gone");
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "writing: target is gone");
  }
}

}  // namespace
}  // namespace tidemark::engine
