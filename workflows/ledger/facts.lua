-- Keep what is known of one account, unless somebody else has kept something meanwhile.
-- KEYS[1] the account
-- ARGV[1] what was read there before; empty: nothing
-- ARGV[2] what stands there now
-- ARGV[3] for how many seconds
-- MGET: a key of another type is as good as none to it, and no error.
if (redis.call('MGET', KEYS[1])[1] or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
