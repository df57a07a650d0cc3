-- Reads audit entries in the order of their numbers.
--
-- KEYS  1 audit stream   2 audit private   3 a subject's list of numbers (only for the entries of one subject)
-- ARGV  1 only numbers above this   2 how many at most (for all subjects)
-- Returns {number, body, digest, private or false, link...}, flat, five for each entry

local found = {}
if KEYS[3] then
  local numbers = redis.pcall('LRANGE', KEYS[3], 0, -1)
  for _, number in ipairs(numbers.err and {} or numbers) do
    if string.match(number, '^%d+$') and #number < 17 and tonumber(number) > tonumber(ARGV[1]) then
      local id = number .. '-0'
      found[#found + 1] = redis.pcall('XRANGE', KEYS[1], id, id)[1]
    end
  end
else
  -- Behind all that has this number: ours ends in -0, somebody else's may not.
  found = redis.pcall('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-18446744073709551615', '+', 'COUNT', ARGV[2])
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
