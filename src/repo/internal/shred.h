#pragma once

#include "blob/blob_store.h"
#include "repo/repository.h"

namespace tidemark::repo {

// Repository::ShredProject, of the stored blobs.
ShreddedProject ShredBlobs(blob::BlobStore& store, const ProjectId& project);

}  // namespace tidemark::repo
