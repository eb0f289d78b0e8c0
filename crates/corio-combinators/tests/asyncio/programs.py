"""Random asyncio programs on a virtual clock, and what each of their tasks logged.

usage: programs.py SEED COUNT [end]      random ones
       programs.py - [end] < FILE        those in the file, one a line

One program is a line of words in parentheses, followed by the lines of its log: task, time, event. With a `~` before it, only
what each task logs is compared, not the order among tasks; with a `!`, nothing is compared, it only has to end. With `end` the
program is what `asyncio.run` is given, and the log goes on until all is closed. The loop breaks ties as corio does: equal deadlines in the order of
their arming, the children of a group in the order of their creation.
"""
import asyncio, collections, itertools, logging, random, selectors, sys

logging.disable(logging.CRITICAL)


class Selector(selectors.SelectSelector):
    def select(self, timeout=None):
        events = super().select(0)
        if not events and timeout:
            self.loop.now += timeout
        if not events and timeout is None:
            raise RuntimeError("nothing can ever happen")
        return events


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now, self.turn = 0.0, 0
        selector = Selector()
        selector.loop = self
        super().__init__(selector)
        self.too_deep = False
        self.set_exception_handler(Loop.hear)
        self.set_task_factory(Loop.make_task)
        # Tasks are asked for the end of the run, and some were created since.
        self.ending = self.late = False

    def make_task(self, work, **how):
        self.late |= self.ending and not work.__name__.startswith("shutdown_")
        task = Task(work, loop=self, **how)
        task.number = next(numbers)
        return task

    def hear(self, context):
        self.too_deep |= isinstance(context.get("exception"), RecursionError)

    def time(self):
        return self.now

    def _run_once(self):
        self.turn += 1
        super()._run_once()


numbers = itertools.count()


def make_ordered(handle_class):
    plain = handle_class.__init__

    def init(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        self._number = next(numbers)

    handle_class.__init__ = init
    handle_class.__lt__ = lambda a, b: (a._when, a._number) < (b._when, b._number)


class OrderedTimer(asyncio.TimerHandle):
    __slots__ = ("_number",)


make_ordered(OrderedTimer)
asyncio.base_events.events.TimerHandle = OrderedTimer


class OrderedSet(dict):
    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)


def ordered_set(items=()):
    return OrderedSet(dict.fromkeys(items))


# What is started and listened to by `as_completed` and `wait` is so in the order of the arguments.
asyncio.tasks.set = ordered_set


class Task(asyncio.Task):
    """Knows how it was asked."""

    reasons = frozenset()
    limited = False
    # How often it was asked, and how often it had been when requests were last withdrawn.
    asks = withdrawn = 0

    def cancel(self, msg=None):
        self.limited |= sys._getframe(1).f_code.co_filename.endswith(("timeouts.py", "taskgroups.py"))
        asked = super().cancel(msg)
        if asked:
            self.reasons |= {msg}
            self.asks += 1
        return asked

    def uncancel(self):
        asked = self._must_cancel
        left = super().uncancel()
        if asked and not self._must_cancel:
            self.withdrawn = self.asks
        return left

    def was_asked_since(self, asks):
        return self.asks > max(asks, self.withdrawn)


class Watch:
    """A wait for a future that is not cancelled with its waiter."""

    _asyncio_future_blocking = False

    def __init__(self, future):
        self.future, self.gone = future, False

    def get_loop(self):
        return self.future.get_loop()

    def add_done_callback(self, callback, *, context=None):
        self.callback, self.context = callback, context
        self.future.add_done_callback(self.told, context=context)

    def told(self, future):
        if not self.gone:
            self.callback(self)

    def cancel(self, msg=None):
        if self.gone or self.future.done():
            return False
        self.gone, self.msg = True, msg
        self.future.remove_done_callback(self.told)
        self.get_loop().call_soon(self.callback, self, context=self.context)
        return True

    def result(self):
        if self.gone:
            raise asyncio.CancelledError(*[self.msg] * (self.msg is not None))
        return self.future.result()

    def __await__(self):
        if not self.future.done():
            self._asyncio_future_blocking = True
            yield self
        return self.result()


class AfterFirstStep:
    """Calls something when a coroutine waits for the first time."""

    def __init__(self, work, call):
        self.work, self.call = work, call

    def __await__(self):
        try:
            waits = self.work.send(None)
        except StopIteration:
            return
        self.call()
        while True:
            try:
                sent = yield waits
            except BaseException as error:
                step, argument = self.work.throw, error
            else:
                step, argument = self.work.send, sent
            try:
                waits = step(argument)
            except StopIteration:
                return


def gives_on(make):
    """In corio who was cancelled may be given something until he is told, and gives it on then: a turn later than in asyncio."""

    class GivesOn(make):
        def _wakeup_next(self, waiters):
            self.world.reordered |= any(waiter.cancelled() for waiter in waiters)
            super()._wakeup_next(waiters)

        def _wake_up_next(self):
            self.world.reordered |= any(waiter.cancelled() for waiter in self._waiters or ())
            return super()._wake_up_next()

        def notify(self, n=1):
            self.world.reordered |= any(waiter.cancelled() for waiter in self._waiters)
            super().notify(n)

    return GivesOn


Queue, PriorityQueue, LifoQueue = map(gives_on, (asyncio.Queue, asyncio.PriorityQueue, asyncio.LifoQueue))
Condition = gives_on(asyncio.Condition)


def passes_by(make):
    """In corio nobody overtakes one who was cancelled and is not told yet."""

    class PassesBy(make):
        async def acquire(self):
            waiters = self._waiters or ()
            free = not self._locked if make is asyncio.Lock else self._value > 0
            self.world.different |= free and len(waiters) > 0 and all(waiter.cancelled() for waiter in waiters)
            return await super().acquire()

    return PassesBy


Lock, Semaphore = passes_by(asyncio.Lock), passes_by(gives_on(asyncio.Semaphore))


class Waiters(collections.deque):
    def __init__(self):
        self.of = {}

    def append(self, waiter):
        self.of[asyncio.current_task()] = waiter
        super().append(waiter)


class World:
    def __init__(self, loop):
        self.loop, self.logs, self.tasks, self.counts = loop, [], [], {}
        # The program does something that corio does otherwise on purpose.
        self.different = False
        # It does things in another order on purpose.
        self.reordered = False
        # It is not to be compared at all.
        self.only_ends = False
        self.swallows = 0
        self.locks = [Lock(), Lock()]
        self.semaphore = Semaphore(2)
        self.events = [asyncio.Event(), asyncio.Event()]
        self.queues = [Queue(1), Queue(), PriorityQueue(2), LifoQueue()]
        self.promises = [loop.create_future() for _ in range(3)]
        self.barrier = asyncio.Barrier(2)
        self.condition = Condition()
        self.condition.acquire = self.patient(self.condition.acquire)
        self.condition._waiters = Waiters()
        self.reacquired_late = set()
        self.groups, self.shared, self.handed, self.callbacks, self.handles = [], [], [], [], []
        for meeting in (*self.locks, self.semaphore, *self.queues, self.condition):
            meeting.world = self

    def only_to_end(self):
        self.only_ends = True
        return self

    def patient(self, acquire):
        """Notes who had to wait for the condition's lock."""

        async def acquiring():
            turn = self.loop.turn
            try:
                return await acquire()
            finally:
                if turn != self.loop.turn:
                    self.reacquired_late.add(asyncio.current_task())

        return acquiring

    def log(self, *words):
        name = asyncio.current_task().get_name()
        self.note(name, *words)

    def note(self, name, *words):
        self.logs.append((name, self.loop.time(), " ".join(str(word) for word in words)))

    def sweep(self):
        """What still waits is asked to end."""
        for task in list(self.tasks):
            task.cancel()

    def next_name(self, parent=None):
        parent = parent or asyncio.current_task().get_name()
        self.counts[parent] = self.counts.get(parent, 0) + 1
        return f"{parent}.{self.counts[parent]}"

    def create(self, op, make=asyncio.create_task, parent=None):
        name = self.next_name(parent)
        task = make(self.whole(op), name=name)
        self.list(name, task)
        return task

    def list(self, name, task):
        self.tasks.append(task)
        task.add_done_callback(lambda task: self.note(name, "done", ending(task)))

    def futures(self, ops):
        """What makes tasks of its own is given these. A task has its name when it begins."""

        async def begins(name, op):
            task = asyncio.current_task()
            task.set_name(name)
            self.list(name, task)
            await self.whole(op)

        return [begins(self.next_name(), op) for op in ops]

    async def alone(self, wait):
        """A wait that was not cancelled itself may still find its task cancelled: that is no request here."""
        me = asyncio.current_task()
        before, asked, turn = me.asks, me._must_cancel, self.loop.turn
        try:
            return await wait
        except asyncio.CancelledError:
            # What did not suspend was not told of a request.
            if turn != self.loop.turn and (asked or me.was_asked_since(before)):
                self.hear_from([getattr(wait, "future", wait)])
                raise
            self.log("child cancelled")

    async def whole(self, op):
        try:
            await self.run(op)
        except Exception as error:
            self.loop.hear({"exception": error})
            # Asked, and not told: here it ends cancelled, with a value as with an error.
            self.different |= asyncio.current_task()._must_cancel
            raise

    async def run(self, op):
        await getattr(self, "do_" + op[0])(*op[1:])

    async def do_sleep(self, time):
        await asyncio.sleep(time)
        self.log("slept", time)

    async def do_seq(self, *ops):
        for op in ops:
            await self.run(op)

    async def do_fail(self, name):
        self.log("fails", name)
        raise ValueError(name)

    async def do_catch(self, work, cleanup):
        try:
            await self.run(work)
        except asyncio.CancelledError:
            self.log("caught")
            await self.run(cleanup)
            self.log("propagates")
            raise

    async def do_why(self, work):
        try:
            await self.run(work)
        except asyncio.CancelledError as error:
            # Of several reasons the first one counts here.
            self.different |= len(asyncio.current_task().reasons) > 1
            self.log("because of", *(error.args or ["nothing"]))
            raise

    async def do_swallow(self, work):
        try:
            await self.run(work)
        except asyncio.CancelledError:
            self.swallows += 1
            self.log("swallows", asyncio.current_task().uncancel())

    async def do_finally(self, work, cleanup):
        after = "value"
        try:
            await self.run(work)
        except asyncio.CancelledError:
            after = "cancel"
            raise
        finally:
            self.log("cleanup after", after)
            me = asyncio.current_task()
            asked, asks = me._must_cancel, me.asks
            try:
                await self.run(cleanup)
            finally:
                # Here a request lets it end.
                self.different |= after == "value" and (asked or me.asks != asks)
            self.log("cleaned up")

    async def do_timeout(self, time, work):
        me, end = asyncio.current_task(), self.loop.time() + time
        # Here the timer stands behind those that the first step of the work has set.
        scope = asyncio.timeout(None if time else 0)
        rest = AfterFirstStep(self.run(work), lambda: scope.reschedule(end)) if time else self.run(work)
        asked, swallows = me._must_cancel, self.swallows
        try:
            try:
                async with scope:
                    await rest
            finally:
                # `uncancel` for the deadline's own request takes back one that came from outside.
                self.different |= scope.expired() and self.swallows != swallows
            self.log("in time")
        except TimeoutError:
            # A request from before the block has become a timeout.
            self.different |= asked
            self.log("timed out")

    async def do_waitfor(self, time, work):
        if time > 0:
            return await self.do_timeout(time, work)
        try:
            await asyncio.wait_for(self.run(work), time)
            self.log("in time")
        except TimeoutError:
            self.log("timed out")

    async def do_await(self, work):
        await self.alone(self.create(work))
        self.log("awaited")

    async def do_spawn(self, work):
        self.create(work)

    async def do_shield(self, work):
        await self.alone(asyncio.shield(self.create(work)))
        self.log("shielded")

    async def do_gather(self, *works):
        await self.gather([self.create(work) for work in works])
        self.log("gathered")

    def hear_from(self, tasks):
        """The reason may be that of a task that was waited for; here it is that of the request."""
        me = asyncio.current_task()
        for task in tasks:
            if isinstance(task, Task):
                me.reasons |= task.reasons if task.cancelled() else {None}

    async def gather(self, tasks, gathering=None):
        me = asyncio.current_task()
        before = me.asks
        heard = []
        for task in tasks:
            task.add_done_callback(lambda task: heard.append(self.loop.turn))
        try:
            await self.alone(gathering or asyncio.gather(*tasks))
        except BaseException as error:
            self.hear_from(tasks)
            # Here a cancelled gather waits until it has heard of all, and a failure does not make it forget the request.
            patient = isinstance(error, asyncio.CancelledError)
            patient = patient and len(heard) == len(tasks) and heard[-1] < self.loop.turn
            self.different |= me.was_asked_since(before) and not patient
            raise

    async def do_gatherall(self, *works):
        tasks = [self.create(work) for work in works]
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            self.hear_from(tasks)
            raise
        self.log("gathered", *(ending(task) for task in tasks))

    async def do_each(self, time, *works):
        tasks = [self.create(work) for work in works]
        try:
            async for task in asyncio.as_completed(tasks, timeout=time or None):
                self.log("next", task.get_name(), ending(task))
        except TimeoutError:
            self.log("too late")

    async def do_wait(self, time, when, *works):
        tasks = [self.create(work) for work in works]
        done, pending = await asyncio.wait(tasks, timeout=time, return_when=MODES[when])
        self.log("waited", len(done), len(pending))

    async def do_race(self, *works):
        """The first one, and the others are asked to end."""
        tasks = [self.create(work) for work in works]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        pending = [task for task in tasks if task in pending]
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
        self.log("raced", *(ending(task) for task in tasks))

    async def do_attend(self, number):
        """Waits for a task of somebody else."""
        task = self.tasks[number % len(self.tasks)]
        if task is asyncio.current_task():
            return
        await asyncio.wait([task])
        self.log("attended", task.get_name())

    async def do_group(self, body, *works):
        try:
            await self.do_regroup(body, *works)
        except BaseExceptionGroup as error:
            self.log("group", show(error))

    async def do_regroup(self, body, *works):
        """The failure goes on."""
        group, swallows = asyncio.TaskGroup(), self.swallows
        me = asyncio.current_task()
        asks = me.asks
        group._tasks = OrderedSet()
        self.groups.append(group)
        try:
            async with group:
                for work in works:
                    self.create(work, group.create_task)
                await self.run(body)
        except BaseExceptionGroup:
            # The counter makes a request of one that was swallowed.
            self.different |= self.swallows > 0 and me.cancelling() > 0
            # And it makes none of one that a group has heard of and somebody took back.
            self.different |= me.asks != asks and me.cancelling() == 0
            raise
        finally:
            self.different |= group._parent_cancel_requested and self.swallows != swallows
        self.log("group ok")

    async def do_child(self, number, work):
        """A task in the group of somebody else."""
        if not self.groups:
            return
        group = self.groups[number % len(self.groups)]
        open = group._entered and not group._aborting and not (group._exiting and not group._tasks)
        if open:
            self.create(work, group.create_task)
        self.log("child" if open else "no child")

    async def do_retime(self, time, before, later, work):
        """The deadline is moved in the middle."""
        me, swallows = asyncio.current_task(), self.swallows
        asked = me._must_cancel
        try:
            try:
                async with asyncio.timeout(time) as scope:
                    await self.run(before)
                    if not scope.expired():
                        scope.reschedule(self.loop.time() + later)
                    await self.run(work)
            finally:
                self.different |= scope.expired() and self.swallows != swallows
            self.log("in time")
        except TimeoutError:
            self.different |= asked
            self.log("timed out")

    def picked(self, *numbers):
        """The shared tasks with these numbers, each once, and not the one that asks."""
        tasks = [self.shared[number % len(self.shared)] for number in numbers if self.shared]
        return [task for task in dict.fromkeys(tasks) if task is not asyncio.current_task()]

    def taken(self, *numbers):
        """The tasks with these numbers, as far as nobody has taken them yet."""
        taken = []
        for number in numbers:
            if self.handed:
                place = number % len(self.handed)
                task = self.handed[place]
                if task and task is not asyncio.current_task():
                    self.settle(task)
                    taken.append(task)
                    self.handed[place] = None
        return taken

    def settle(self, task):
        """Here a value stays until the done callbacks have run."""
        told = {(name, event) for name, _, event in self.logs}
        self.different |= task.done() and (task.get_name(), "done " + ending(task)) not in told

    async def do_share(self, work):
        self.shared.append(self.create(work))

    async def do_hand(self, work):
        self.handed.append(self.create(work))

    async def see(self, task, wait):
        try:
            await self.alone(Watch(wait))
        except Exception:
            pass
        self.log("saw", ending(task))

    async def do_see(self, number):
        for task in self.picked(number):
            await self.see(task, task)

    async def do_seeshield(self, number):
        for task in self.picked(number):
            await self.see(task, asyncio.shield(task))

    async def do_seeall(self, *numbers):
        tasks = self.picked(*numbers)
        await Watch(asyncio.gather(*tasks, *tasks[:1], return_exceptions=True))
        self.log("saw all", *(ending(task) for task in tasks))

    async def do_seewait(self, time, when, *numbers):
        done, pending = self.picked(*numbers), []
        if done:
            done, pending = await asyncio.wait(done, timeout=time, return_when=MODES[when])
        self.log("waited", len(done), len(pending))

    async def do_seesome(self, count, *numbers):
        tasks = self.picked(*numbers)
        # They come in the order of a set.
        self.different |= sum(task.done() for task in tasks) > 1
        await self.some(count, tasks)
        self.log("saw some")

    async def do_some(self, count, *works):
        await self.some(count, [self.create(work) for work in works])
        self.log("some")

    async def some(self, count, tasks):
        ended = asyncio.as_completed(tasks)
        for _ in range(count):
            try:
                task = await anext(ended)
            except StopAsyncIteration:
                break
            self.log("next", task.get_name(), ending(task))

    async def do_own(self, number):
        for task in self.taken(number):
            await self.alone(task)
            self.log("owned")

    async def do_ownall(self, *numbers):
        await self.gather(self.taken(*numbers))
        self.log("owned all")

    async def do_ownrace(self, *numbers):
        done, pending = self.taken(*numbers), []
        if done:
            done, pending = await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self.settle(task)
        self.log("waited", len(done), len(pending))

    async def do_undo(self):
        me = asyncio.current_task()
        me.cancel()
        self.log("undoes", me.uncancel())

    async def do_pardon(self, number):
        task = self.tasks[number % len(self.tasks)]
        before, waits = task.cancelling(), task._fut_waiter
        # Here a request that is not delivered yet is withdrawn, also when the task waits.
        told = waits is None or not (waits.gone if isinstance(waits, Watch) else waits.cancelled())
        self.different |= before == 1 and not task.done() and not told
        # The request of a limit or a group is never withdrawn.
        self.different |= before > 0 and task.limited
        self.log("pardons", task.get_name(), task.uncancel() if before else 0)

    async def do_gathernew(self, *works):
        gathering = asyncio.gather(*self.futures(works))
        await self.gather(gathering._children, gathering)
        self.log("gathered")

    async def do_gatherallnew(self, *works):
        tasks = (gathering := asyncio.gather(*self.futures(works), return_exceptions=True))._children
        try:
            await gathering
        except asyncio.CancelledError:
            self.hear_from(tasks)
            raise
        self.log("gathered", *(ending(task) for task in tasks))

    async def do_stopgather(self, turns, *works):
        """A gather that is given up."""
        me = asyncio.current_task()
        before = me.asks
        self.different |= me._must_cancel
        gathering = asyncio.gather(*self.futures(works), return_exceptions=True)
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
        finally:
            self.different |= gathering.done() or me.was_asked_since(before)
            gathering.cancel()
        self.log("gave up")

    async def do_shieldnew(self, work):
        await self.alone(asyncio.shield(*self.futures([work])))
        self.log("shielded")

    async def do_eachnew(self, time, *works):
        try:
            async for task in asyncio.as_completed(self.futures(works), timeout=time or None):
                self.log("next", task.get_name(), ending(task))
        except TimeoutError:
            self.log("too late")

    async def do_somenew(self, count, *works):
        await self.some(count, self.futures(works))
        self.log("some")

    async def do_until(self, time, work):
        me = asyncio.current_task()
        asked, swallows = me._must_cancel, self.swallows
        try:
            try:
                async with asyncio.timeout_at(time) as scope:
                    await self.run(work)
            finally:
                self.different |= scope.expired() and self.swallows != swallows
            self.log("in time")
        except TimeoutError:
            self.different |= asked
            self.log("timed out")

    async def do_lock(self, number, work):
        async with self.locks[number]:
            self.log("locked", number)
            await self.run(work)

    async def do_permit(self, work):
        async with self.semaphore:
            self.log("admitted")
            await self.run(work)

    async def do_event(self, number):
        await self.events[number].wait()
        self.log("event", number)

    async def do_put(self, number):
        try:
            await self.queues[number].put(asyncio.current_task().get_name())
            self.log("put", number)
        except asyncio.QueueShutDown:
            self.log("shut down", number)

    async def do_get(self, number):
        try:
            self.log("got", number, await self.queues[number].get())
            self.queues[number].task_done()
        except asyncio.QueueShutDown:
            self.log("shut down", number)

    async def do_take(self, number):
        try:
            self.log("took", number, await self.queues[number].get())
        except asyncio.QueueShutDown:
            self.log("shut down", number)

    async def do_join(self, number):
        await self.queues[number].join()
        self.log("joined", number)

    async def do_promise(self, number):
        await self.alone(Watch(self.promises[number]))
        self.log("promise", number)

    async def do_barrier(self):
        # Here a new round begins while the last one goes on.
        self.different |= self.barrier._state.value in ("draining", "resetting")
        try:
            await self.barrier.wait()
            self.log("passed")
        except asyncio.BrokenBarrierError:
            self.log("broken")

    async def broken(self):
        """Here those who were let through pass."""
        async with self.barrier._cond:
            self.different |= self.barrier._state.value == "draining"

    async def do_abort(self):
        await self.broken()
        await self.barrier.abort()
        self.log("aborts")

    async def do_reset(self):
        await self.broken()
        await self.barrier.reset()
        self.log("resets")

    async def do_await_change(self):
        async with self.condition:
            me = asyncio.current_task()
            self.reacquired_late.discard(me)
            try:
                await self.condition.wait()
            except asyncio.CancelledError:
                # Here a request does not wait for the lock, and hands nothing on that was not given.
                waiters = self.condition._waiters
                self.different |= me in self.reacquired_late
                self.different |= waiters.of[me].cancelled() and len(waiters) > 0
                raise
            self.log("changed")

    async def do_await_until(self, number):
        async with self.condition:
            me = asyncio.current_task()
            self.reacquired_late.discard(me)
            try:
                await self.condition.wait_for(self.events[number].is_set)
            except asyncio.CancelledError:
                waiters = self.condition._waiters
                self.different |= me in self.reacquired_late
                self.different |= waiters.of[me].cancelled() and len(waiters) > 0
                raise
            self.log("changed")

    async def do_callback(self, number):
        name = asyncio.current_task().get_name()
        call = lambda promise: self.note(name, "called", number)
        self.promises[number].add_done_callback(call)
        self.callbacks.append((self.promises[number], call))

    async def do_uncallback(self):
        if self.callbacks:
            promise, call = self.callbacks.pop()
            self.log("removed" if promise.remove_done_callback(call) else "not there")

    async def do_notify(self, count, work):
        async with self.condition:
            self.condition.notify(count)
            self.log("notified", count)
            await self.run(work)

    async def do_now(self, *call):
        self.log("now", self.call(asyncio.current_task().get_name(), *call))

    async def do_soon(self, *call):
        name = asyncio.current_task().get_name()
        self.handles.append(self.loop.call_soon(lambda: self.note(name, "soon", self.call(name, *call))))

    async def do_later(self, time, *call):
        name = asyncio.current_task().get_name()
        self.handles.append(self.loop.call_later(time, lambda: self.note(name, "later", self.call(name, *call))))

    async def do_at(self, time, *call):
        name = asyncio.current_task().get_name()
        self.handles.append(self.loop.call_at(time, lambda: self.note(name, "at", self.call(name, *call))))

    def call(self, name, what, number):
        """What may be done without awaiting anything."""
        if what == "set":
            self.events[number].set()
        elif what == "clear":
            self.events[number].clear()
        elif what in ("resolve", "reject"):
            promise = self.promises[number]
            if what == "reject":
                promise.cancel()
            elif not promise.done():
                promise.set_result(None)
        elif what == "shutdown":
            self.queues[number].shutdown()
        elif what == "discard":
            self.queues[number].shutdown(immediate=True)
        elif what == "offer":
            try:
                self.queues[number].put_nowait("offer")
            except (asyncio.QueueFull, asyncio.QueueShutDown):
                return "refused"
        elif what == "admit":
            self.semaphore.release()
        elif what == "flip":
            self.events[number].set()
            self.events[number].clear()
        elif what == "done":
            try:
                self.queues[number].task_done()
            except ValueError:
                return "done too often"
        elif what == "renew":
            self.promises[number] = self.loop.create_future()
        elif what == "begin":
            self.create(BEGUN[number], parent=name)
        elif what == "stop":
            if not self.handles:
                return "nothing to stop"
            handle = self.handles[number % len(self.handles)]
            before = handle.cancelled()
            handle.cancel()
            return f"stop {before} {handle.cancelled()}"
        elif what == "ask":
            return f"ask {self.tasks[number % len(self.tasks)].cancel()}"
        return what

    async def do_cancel(self, number):
        task = self.tasks[number % len(self.tasks)]
        self.log("cancels", task.get_name(), task.cancel())

    async def do_tell(self, number, reason):
        task = self.tasks[number % len(self.tasks)]
        self.log("tells", task.get_name(), task.cancel(reason))

    async def do_counter(self):
        self.log("cancelling", asyncio.current_task().cancelling())


# The tasks that callbacks create.
BEGUN = [["sleep", 0], ["sleep", 1], ["seq", ["now", "set", 0], ["event", 1]], ["cancel", 0], ["fail", "E"], ["now", "stop", 0]]
MODES = {"first": asyncio.FIRST_COMPLETED, "all": asyncio.ALL_COMPLETED, "failure": asyncio.FIRST_EXCEPTION}


def show(error):
    if isinstance(error, BaseExceptionGroup):
        return "[" + " ".join(show(inner) for inner in error.exceptions) + "]"
    return str(error)


def ending(task):
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "ok" if error is None else "error " + show(error)


def times(rng):
    return rng.choice([0, 0, 1, 1, 2, 2, 3, 4, 5, 7])


TREES = {
    "seq": 6, "catch": 2, "swallow": 1, "finally": 3, "timeout": 3, "waitfor": 2, "await": 3, "spawn": 3, "shield": 1,
    "gather": 2, "wait": 1, "group": 4, "regroup": 2, "gatherall": 1, "each": 1, "race": 1, "child": 1, "retime": 1,
}
SHARED_TREES = {"lock": 4, "permit": 3, "notify": 1}
HANDLE_TREES = {"share": 5, "hand": 5, "some": 1, "until": 3, "why": 3}
LEAVES = {"sleep": 10, "fail": 1, "cancel": 4, "counter": 1, "long": 2, "attend": 1}
SHARED_LEAVES = {
    "event": 3, "put": 3, "get": 3, "join": 1, "promise": 2, "barrier": 2, "await_change": 2, "now": 4, "soon": 1, "later": 2,
    "await_until": 1, "callback": 1, "uncallback": 0.5,
}
FUTURE_TREES = {"gathernew": 4, "gatherallnew": 3, "stopgather": 1, "shieldnew": 3, "eachnew": 2, "somenew": 1}
CALL_LEAVES = {"soon": 5, "later": 4, "at": 4, "now": 4, "take": 1, "abort": 1, "reset": 1, "barrier": 2, "pardon": 2, "join": 1}
HANDLE_LEAVES = {
    "see": 3, "seeshield": 1, "seeall": 1, "seewait": 2, "seesome": 1, "own": 4, "ownall": 2, "ownrace": 1, "undo": 1, "tell": 2,
}


def choose(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]


class Words:
    """The words of one program. With `shared`, its tasks also meet at locks, queues, events and the like; with `handles`, at tasks.
    With `futures`, they hand over what is to become tasks, and with `calls` they call what takes things back and creates more. Each program leaves some out, and uses some often."""

    def __init__(self, rng, shared, handles, futures, calls):
        self.shared, self.calls = shared, calls
        favour = lambda words: {word: weight * rng.choice([0, 1, 1, 1, 6]) for word, weight in words.items()}
        trees = favour(TREES | (SHARED_TREES if shared else {}) | (HANDLE_TREES if handles else {}) | (FUTURE_TREES if futures else {}))
        leaves = favour(LEAVES | (SHARED_LEAVES if shared else {}) | (HANDLE_LEAVES if handles else {}) | (CALL_LEAVES if calls else {}))
        self.trees, self.leaves = trees | {"seq": 1}, leaves | {"sleep": 2}


def generate(rng, depth, words):
    one = lambda: generate(rng, depth - 1, words)
    some = lambda low, high: [one() for _ in range(rng.randint(low, high))]
    if rng.random() < (0.25 if depth > 0 else 1):
        return leaf(rng, choose(rng, words.leaves), words.calls)
    kind = choose(rng, words.trees)
    if kind == "seq":
        return ["seq", *some(2, 4)]
    if kind in ("catch", "finally"):
        return [kind, one(), cleanup(rng, words.shared)]
    if kind in ("swallow", "await", "spawn", "shield", "permit", "share", "hand", "why", "shieldnew"):
        return [kind, one()]
    if kind in ("timeout", "waitfor", "until"):
        return [kind, times(rng), one()]
    if kind in ("gather", "gatherall", "gathernew", "gatherallnew"):
        return [kind, *some(1, 3)]
    if kind == "race":
        return [kind, *some(1, 3)]
    if kind == "stopgather":
        return [kind, rng.choice([1, 1, 2, 3]), *[["seq", ["sleep", rng.choice([1, 2, 9])], one()] for _ in range(rng.randint(1, 3))]]
    if kind in ("some", "somenew"):
        return [kind, rng.randint(0, 2), *some(1, 3)]
    if kind in ("each", "eachnew"):
        return [kind, times(rng), *some(1, 3)]
    if kind == "child":
        return [kind, rng.randrange(4), one()]
    if kind == "retime":
        return [kind, times(rng), one(), times(rng), one()]
    if kind == "lock":
        return [kind, rng.randrange(2), one()]
    if kind == "notify":
        return [kind, rng.choice([1, 1, 2, 9]), one()]
    if kind == "wait":
        return ["wait", times(rng), rng.choice(list(MODES)), *some(1, 3)]
    return [kind, one(), *some(0, 3)]


def leaf(rng, kind, calls):
    if kind == "sleep":
        return ["sleep", times(rng)]
    if kind == "long":
        return ["sleep", 50]
    if kind == "fail":
        return ["fail", rng.choice("ABCD")]
    if kind == "tell":
        return [kind, rng.randrange(12), rng.choice(["haste", "whim"])]
    if kind in ("cancel", "attend", "pardon"):
        return [kind, rng.randrange(12)]
    if kind in ("see", "seeshield", "own"):
        return [kind, rng.randrange(6)]
    some = [rng.randrange(6) for _ in range(rng.randint(1, 3))]
    if kind in ("seeall", "ownall", "ownrace"):
        return [kind, *some]
    if kind == "seewait":
        return [kind, times(rng), rng.choice(list(MODES)), *some]
    if kind == "seesome":
        return [kind, rng.randint(1, 3), *some]
    if kind in ("event", "await_until"):
        return [kind, rng.randrange(2)]
    if kind in ("put", "get", "join", "take"):
        return [kind, rng.choice([0, 0, 1, 1, 2, 3])]
    if kind in ("promise", "callback"):
        return [kind, rng.randrange(3)]
    if kind == "now":
        return [kind, *call(rng, calls)]
    if kind == "soon":
        return [kind, *call(rng, calls)]
    if kind in ("later", "at"):
        return [kind, times(rng), *call(rng, calls)]
    return [kind]


def call(rng, more):
    calls = {"set": 4, "clear": 1, "resolve": 3, "reject": 1, "shutdown": 1, "discard": 0.5, "offer": 2, "ask": 3, "admit": 0.5}
    what = choose(rng, calls | ({"flip": 2, "done": 1, "renew": 1, "begin": 5, "stop": 6} if more else {}))
    ends = {"ask": 12, "resolve": 3, "reject": 3, "renew": 3, "begin": len(BEGUN), "stop": 4}
    return [what, rng.randrange(ends.get(what, 2))]


def cleanup(rng, shared):
    plain = [["seq"], ["sleep", 0], ["sleep", 1], ["sleep", 2], ["await", ["sleep", 1]]]
    if rng.random() < 0.7:
        return rng.choice(plain)
    number = rng.randrange(12)
    odd = [
        ["cancel", number], ["seq", ["cancel", number], ["sleep", 1]], ["timeout", 1, ["sleep", 2]],
        ["finally", ["sleep", 1], ["sleep", 1]], ["group", ["sleep", 1], ["sleep", 2]], ["shield", ["sleep", 2]],
        ["gather", ["sleep", 1], ["sleep", 2]], ["gatherall", ["sleep", 1], ["cancel", number]], ["timeout", 0, ["sleep", 1]],
    ]
    meeting = [["lock", number % 2, ["sleep", 1]], ["permit", ["seq"]], ["get", number % 2], ["put", number % 2], ["event", 0]]
    return rng.choice(odd + meeting if shared else odd)


def text(op):
    return "(" + " ".join(text(word) if isinstance(word, list) else str(word) for word in op) + ")"


def play(op):
    loop = Loop()
    world = World(loop)

    async def main():
        task = asyncio.current_task()
        task.set_name("main")
        task = asyncio.create_task(world.whole(op), name="0")
        world.tasks.append(task)
        task.add_done_callback(lambda task: world.note("0", "done", ending(task)))
        for number in range(1, 9):
            loop.call_later(100 * number, world.sweep)
        await asyncio.sleep(1000)
        # A ring of waits does not end.
        return len(asyncio.all_tasks()) > 1

    try:
        if loop.run_until_complete(main()):
            return None
    finally:
        loop.close()
    return None if world.different or loop.too_deep else world


def play_to_the_end(op):
    loop = Loop()
    world = World(loop)

    async def main():
        task = asyncio.current_task()
        task.set_name("0")
        world.list("0", task)
        for number in range(1, 9):
            loop.call_later(60 * number, task.cancel)
        await world.whole(op)

    try:
        main = loop.create_task(main())
        try:
            loop.run_until_complete(main)
        except (ValueError, BaseExceptionGroup, asyncio.CancelledError):
            pass
        except RuntimeError:
            return None
        # From here on it is `Runner.close`, with tasks in the order of their creation.
        tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.number)
        loop.ending = True
        # Here a timer that is due just then rings a batch later.
        world.different |= any(timer._when <= loop.time() and not timer.cancelled() for timer in loop._scheduled)
        swallows = world.swallows
        for task in tasks:
            # Here who was asked, or is asked by its owner, is not asked again.
            world.different |= task.cancelling() > 0
            task.cancel()
        if tasks:
            ended = asyncio.gather(*tasks, return_exceptions=True)
            # Here they are asked again then.
            loop.call_later(12, loop.stop)
            try:
                loop.run_until_complete(ended)
            except RuntimeError:
                return world.only_to_end()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    # Here who takes his request back is asked again when another task has ended.
    world.different |= world.swallows != swallows
    return world.only_to_end() if world.different or loop.too_deep or loop.late else world


def parse(line):
    words = line.replace("(", " ( ").replace(")", " ) ").split()
    open = [[]]
    for word in words:
        if word == "(":
            open.append([])
        elif word == ")":
            last = open.pop()
            open[-1].append(last)
        else:
            open[-1].append(int(word) if word.isdigit() else word)
    return open[0][0]


def tell(op, world):
    print(("!" if world.only_ends else "~" * world.reordered) + text(op))
    if world.only_ends:
        print("  ends")
        return
    for name, time, event in world.logs:
        print(f"  {name} {time:g} {event}")


def main():
    to_the_end = sys.argv[-1] == "end"
    perform = play_to_the_end if to_the_end else play
    if sys.argv[1] == "-":
        for line in filter(str.strip, sys.stdin):
            op = parse(line.lstrip("~!"))
            if world := perform(op):
                tell(op, world)
            else:
                print(text(op), "is played otherwise on purpose", file=sys.stderr)
        return
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    while count:
        words = Words(rng, *(rng.random() < 0.5 for _ in range(4)))
        op = generate(rng, rng.choice([2, 3, 4, 4, 5]), words)
        if to_the_end:
            others = [[rng.choice(["spawn", "share", "hand"]), generate(rng, rng.choice([1, 2, 3]), words)] for _ in range(rng.randint(1, 4))]
            op = ["seq", *others, *[["sleep", times(rng)]] * rng.randint(0, 1), generate(rng, rng.choice([0, 0, 2]), words)]
        try:
            world = perform(op)
        except RecursionError:
            continue
        if world is None or not 4 <= len(world.logs) <= 60:
            continue
        count -= 1
        tell(op, world)


main()
