#include "engine/internal/document_fetcher.h"

#include "base/error.h"

namespace tidemark::engine {

ByteView DocumentFetcher::Get(const DocumentKey& key) {
  const repo::ChunkRef ref = chunks_.RefOf(chunks_.Find(key));
  if (loaded_ != ref.id) {
    chunk_ = chunks_.source().loader.load(ref).plain;
    loaded_ = ref.id;
  }
  for (ByteView rest = chunk_; !rest.empty();) {
    const ByteView document = rest.first(bson::FrontDocumentSize(rest));
    if (SameDocument(KeyOf(bson::Document(document)), key)) {
      return document;
    }
    rest = rest.subspan(document.size());
  }
  throw Error(ErrorCode::kCorrupt,
              "reading " + chunks_.source().what + ": a document that the keys name is not there");
}

}  // namespace tidemark::engine
