/* Fuzz target: names of tiles, which strangers ask for, and bundles of entries. There is one name
 * for a tile, and it leads nowhere but below the folder. */
#include <string.h>

#include "base/check.h"
#include "ledger/tiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tile tile;
    struct slice rest = slice_of(data, size), entry;
    char path[TILES_PATH_ROOM];
    if (tile_path_parse(rest, &tile)) {
        CHECK(tile.level <= TILES_ENTRIES && tile.width >= 1 && tile.width <= TILES_WIDTH);
        tile_path(&tile, path);
        CHECK(slice_equal(rest, slice_of_text(path)));
        CHECK(strstr(path, "..") == NULL && strstr(path, "//") == NULL && path[0] == 't');
    }
    size_t taken = 0;
    while (tile_bundle_take(&rest, &entry)) {
        CHECK(entry.data >= data && entry.data + entry.len <= data + size);
        taken += 2 + entry.len;
    }
    CHECK(taken + rest.len == size);
    return 0;
}
