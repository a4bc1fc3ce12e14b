#pragma once

namespace tidemark {

// Tells glibc's allocator how a program of ours uses memory. To be called first in main. A library
// that refuses only stays as slow.
void KeepFreedMemory();

}  // namespace tidemark
