-- Reads audit entries in the order of their numbers.
--
-- KEYS  1 audit stream   2 audit private   3.. subjects' lists of numbers (only for the entries of some subjects)
-- ARGV  1 only numbers above this   2 how many at most (for all subjects)
-- Returns {number, body, digest, private or false, link...}, flat, five for each entry

-- A stream behind whose last number nothing could be added was put aside (see commit.lua): what is ours in it is read first.
local streams = {KEYS[1] .. ':strange', KEYS[1]}

local function range(stream, first, last, most)
  local found = redis.pcall('XRANGE', stream, first, last, 'COUNT', most)
  return found.err and {} or found
end

local found = {}
for i = 3, #KEYS do
  local numbers = redis.pcall('LRANGE', KEYS[i], 0, -1)
  for _, number in ipairs(numbers.err and {} or numbers) do
    if string.match(number, '^%d+$') and #number < 17 and tonumber(number) > tonumber(ARGV[1]) then
      local id = number .. '-0'
      found[#found + 1] = range(KEYS[1], id, id, 1)[1] or range(streams[1], id, id, 1)[1]
    end
  end
end
if not KEYS[3] then
  for _, stream in ipairs(streams) do
    -- Behind all that has this number: ours ends in -0, somebody else's may not.
    local after = '(' .. ARGV[1] .. '-18446744073709551615'
    for _, entry in ipairs(range(stream, after, '8999999999999999-0', math.max(1, ARGV[2] - #found))) do
      if #found < tonumber(ARGV[2]) then found[#found + 1] = entry end
    end
  end
end

local flat = {}
for _, entry in ipairs(found) do
  local number = string.match(entry[1], '^%d+')
  local fields = {}
  for i = 1, #entry[2] - 1, 2 do fields[entry[2][i]] = entry[2][i + 1] end
  flat[#flat + 1] = number
  flat[#flat + 1] = fields['body'] or ''
  flat[#flat + 1] = fields['digest'] or ''
  local private = redis.pcall('HGET', KEYS[2], number)
  flat[#flat + 1] = type(private) == 'table' and '' or private
  flat[#flat + 1] = fields['link'] or ''
end
return flat
