-- Gives out the next number of a request. Preceded by strange.lua.
--
-- KEYS  1 ids   2 index of all requests by time
-- ARGV  1 how a request's record is named, up to its number's `PA-`
-- Returns {number, 1 where the counter could not be read | 0}
--
-- A number that a request has already is not given out again: a counter that was set back, or cannot be read, goes on behind the
-- newest ones.

local function taken(number) return redis.call('EXISTS', ARGV[1] .. 'PA-' .. whole(number)) == 1 end

local words = string_at(KEYS[1])
local last = count_of(words)
local lost = redis.call('EXISTS', KEYS[1]) == 1 and not (last and last < 9999999999)
local number = (not lost and last or 0) + 1
if lost or taken(number) then
  local newest = redis.pcall('ZRANGE', KEYS[2], 0, 999, 'REV')
  for _, id in ipairs(newest.err and {} or newest) do
    number = math.max(number, (tonumber(string.match(id, '^PA%-(%d+)$')) or 0) + 1)
  end
  while taken(number) do number = number + 1 end
end
redis.call('SET', KEYS[1], whole(number))
return {whole(number), lost and 1 or 0}
