-- Recipes without what the rows of their files say.

-- Whether what the artifact's files are called and what they hold (path, size, CRC-32, as `file`, `path` and `content` have
-- it) is left out of the headers in the recipe.
ALTER TABLE recipe ADD COLUMN is_by_files INTEGER NOT NULL DEFAULT 0 CHECK (is_by_files IN (0, 1));
