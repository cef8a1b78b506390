-- The buckets of windows, as gateway/ledger/windows.py has them. Times are whole milliseconds since
-- the epoch, UTC.

local DAY = 86400000
local FIXED = {minute = 60000, hour = 3600000, day = DAY}
local SLOTS = 60  -- of a rolling window
local BEFORE = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}  -- days before each month
local MONTH_DAYS = 30.436875  -- on average
local LEAPS_1969 = 477  -- leap days up to then

-- The first day of a month, in days since the epoch; months count from January 1970.
local function first_day(month)
  local year, place = 1970 + math.floor(month / 12), month % 12 + 1
  local last = place > 2 and year or year - 1  -- whose leap day is over
  local leaps = math.floor(last / 4) - math.floor(last / 100) + math.floor(last / 400) - LEAPS_1969
  return (year - 1970) * 365 + BEFORE[place] + leaps
end

local function month_of(day)
  local month = math.floor(day / MONTH_DAYS)
  if first_day(month) > day then return month - 1 end
  if first_day(month + 1) <= day then return month + 1 end
  return month
end

-- When the bucket of an instant begins, and when it stops counting; nil: never.
local function bucket(span, rolling, at)
  if span == 'rolling' then
    local width = math.ceil(rolling / SLOTS)
    local start = math.floor(at / width) * width
    return start, start + width + rolling
  elseif span == 'week' then
    local start = math.floor((at - 4 * DAY) / (7 * DAY)) * 7 * DAY + 4 * DAY
    return start, start + 7 * DAY
  elseif span == 'month' then
    local month = month_of(math.floor(at / DAY))
    return first_day(month) * DAY, first_day(month + 1) * DAY
  elseif FIXED[span] then
    local start = math.floor(at / FIXED[span]) * FIXED[span]
    return start, start + FIXED[span]
  end
  return 0, nil
end
