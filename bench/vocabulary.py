"""Texts that compress as people's texts do, in twelve languages, from a seed; nobody wrote them.

Each language has its most frequent words, and a long tail of words that a chain of letters over
these makes up. Words are drawn by Zipf's law (as Mandelbrot bent it) and stand in sentences with
the punctuation, line breaks, emoji and lengths that short posts have. What is realistic: the
alphabet, the entropy of a word, the bytes of a character, the length of a text. What is not:
grammar, and phrases that many people write. A compressor finds less to repeat than in real texts.
"""

import random
from bisect import bisect
from itertools import accumulate
from typing import Final, NamedTuple


class Language(NamedTuple):
    """One language: its code, its share of the posts, how words are joined, and how many exist."""

    code: str
    share: float
    words: str
    tail: int = 9_000
    joint: str = " "
    stop: str = "."


LANGUAGES: Final = (
    Language("en", 0.58, """
        the to and i a of it is in that you for this my on be so have not but are with was just
        like at me all if they what as do we or can from people about get one your will out more
        up how no when there now an don't time he would know by who i'm it's think has good see
        their them some really because been his want here new make than going had love need right
        still only even day could its go way should then were these back being why much she year
        too her also never after well us any got today say other every into him i've that's can't
        something over where those most first please work last life always very off world things
        before sure take better trump let world great years game our thing best feel look hope
        someone through lot which while did thanks post actually anyone having same trying house
        try maybe friend yes everyone bad news find ever big down made next help thank watch might
        many gonna live show keep use little man old real start doing night again nice music
        morning happy play read video art white free part long guys country support looking check
        end come without believe own stop may food water cat story share link black power book
        money media place against home fucking shit government
        """, 14_000),
    Language("ja", 0.14, """
        の は が に を と で も な て た だ し よ ね か い う る です ます から ない これ それ
        する いる ある こと もの って という けど まで より でも さん ちゃん くん 今日 明日 昨日
        自分 人 時 日 私 僕 何 今 前 後 年 月 気 楽しい 嬉しい 可愛い 好き 大好き 見て 見た 行く
        行った 食べ 飲み 思う 思った できる できた なった なる ちょっと すごい めっちゃ とても
        本当に ありがとう おはよう おやすみ お疲れ様 ございます よろしく お願いします してる
        ました でした たい そう みたい かも やっぱり また もう まだ 一番 絵 描いた 新しい 写真
        映画 音楽 ゲーム アニメ 仕事 学校 家 雨 天気 寒い 暑い 朝 夜 昼 猫 犬 花 桜 電車 東京 大阪
        日本 世界 最近 久しぶり 青空 ポスト フォロー アカウント イラスト キャラ ライブ イベント
        コーヒー ラーメン カレー ビール スマホ パソコン サイト ニュース
        """, 9_000, "", "。"),
    Language("pt", 0.11, """
        que de a o e não eu é um do da em uma pra com no na mais por se me meu os ele tá ela isso
        mas muito as como já só você vou foi minha ser tem ter gente essa tudo aqui hoje quando
        fazer esse até sem vai dia nem bem eles ainda sobre porque cara casa agora nada todo são
        era nossa mesmo acho coisa quem amo dos das bom boa vida nunca sempre aí lá depois também
        tava estou amor deus pelo mundo melhor tempo vez anos gosto pessoas preciso quero fica
        assim então saudade noite ano ver assistir filme jogo
        """),
    Language("es", 0.04, """
        de que la el en y a los se no un por con una su para es lo me del las al más pero como yo
        si qué le ya mi muy todo esta este sin porque hay cuando hoy bien vida ser está son ha
        tengo también hasta año solo gracias día ver tiempo todos nada mejor siempre gente buenos
        hace eso mundo así donde casa
        """),
    Language("de", 0.04, """
        die der und in das ich ist nicht zu den es mit ein von auf so sie auch für dass eine man
        wir im aber mich mal noch wenn sich wie nur war was dem als hat bei heute mir schon an
        oder gut habe aus da nach mehr sind einfach immer jetzt hier doch werden kann menschen
        gibt wird alles um wieder morgen ganz
        """),
    Language("fr", 0.03, """
        de la le et les des en un du une que est pour qui dans pas sur plus au ce je par avec ça
        il mais on se sont vous tout nous ne être cette fait comme bien ont moi même aussi mon
        encore si très faire aux ses leur jour merci bon quand peut bonjour année vie temps rien
        avoir non juste toujours monde
        """),
    Language("ko", 0.015, """
        이 그 나 내 저 것 수 거 진짜 너무 오늘 근데 좀 다 왜 안 못 더 잘 또 그냥 아니 이제 지금
        사람 생각 같은 하는 있는 없는 해서 하고 에서 까지 부터 좋아 귀여워 사랑 감사합니다
        안녕하세요 그림 시간 내일 어제 우리 많이 정말
        """, 6_000),
    Language("nl", 0.01, """
        de het een en van in is dat op te niet ik voor met zijn maar die er aan ook als om wel bij
        nog dan naar wat heb je we zo mijn over goed geen uit meer door kan dit nu hebben al weer
        mensen vandaag
        """, 6_000),
    Language("tr", 0.01, """
        bir ve bu da de ne çok için ben o ama gibi daha var her kadar yok olan şey iyi güzel sonra
        bana beni en mi ya ki bugün olarak zaman sadece biraz hiç böyle kendi günaydın insan hayat
        gece
        """, 6_000),
    Language("uk", 0.01, """
        і в не на що я з це та до як за але у так для все ми то вже по від мене ще є про коли дуже
        він бути або тому може день сьогодні час люди якщо тільки добре ранку війна світ дякую
        життя
        """, 6_000),
    Language("zh", 0.01, """
        的 了 是 我 不 在 有 这 人 也 就 都 和 他 说 一个 没有 什么 自己 我们 今天 可以 这个 真的
        还是 因为 但是 现在 知道 觉得 喜欢 中国 时候 已经 怎么 大家 看到 生活 世界 朋友 问题 时间
        工作 早上 晚上 孩子
        """, 6_000, "", "。"),
    Language("th", 0.005, """
        ที่ เป็น และ ไม่ มี ได้ ว่า ใน ให้ จะ ก็ ของ แล้ว มา กับ ไป คน นี้ เรา มัน อยู่ เลย นะ แต่ วันนี้ คือ
        ทำ ดี มาก จริง กัน ถ้า ยัง อะไร รัก ครับ ค่ะ ขอบคุณ สวย
        """, 5_000, ""),
)

EMOJI: Final = "😂❤️🥰🔥✨🙏😭💙👍🎉🤔😊💕🥺👀🌸☀️💪😅🎶🐈📸🌙🤣😍💜🙌🫶🦋🍀"
WORD_CHARACTERS_MAX: Final = 14
_END: Final = "\n"


class Tongue:
    """The words of one language, drawn by their rank."""

    def __init__(self, language: Language, chance: random.Random) -> None:
        self.code, self.joint, self.stop = language.code, language.joint, language.stop
        heads = language.words.split()
        self.words = heads + made_up(heads, language.tail, chance)
        # Mandelbrot 1953: a word's frequency is 1 / (rank + 2.7); measured on people, to the 1.05.
        self._sums = list(accumulate((rank + 2.7) ** -1.05
                                     for rank in range(1, len(self.words) + 1)))

    def word(self, chance: random.Random) -> str:
        """Return one word."""
        return self.words[bisect(self._sums, chance.random() * self._sums[-1])]

    def phrase(self, chance: random.Random, characters: int) -> str:
        """Return words of about so many characters."""
        words, length = [], 0
        while length < characters:
            words.append(self.word(chance))
            length += len(words[-1]) + len(self.joint)
        return self.joint.join(words)

    def text(self, chance: random.Random, characters: int) -> str:
        """Return sentences of about so many characters, at most 300, as a post has them."""
        parts: list[str] = []
        left = min(characters, 290)
        while left > 0:
            phrase = self.phrase(chance, min(left, chance.randrange(12, 80)))
            parts.append(phrase[:1].upper() + phrase[1:] if chance.random() < 0.7 else phrase)
            left -= len(phrase) + 2
            end = chance.random()
            parts.append(self.stop if end < 0.45 else chance.choice("!?,…") if end < 0.75 else "")
            parts.append("\n" if end > 0.93 else "\n\n" if end < 0.1 else " " if left > 0 else "")
        if chance.random() < 0.22:
            parts.append(" " + chance.choice(EMOJI) * chance.randrange(1, 3))
        return "".join(parts).strip()[:300]


def made_up(words: list[str], count: int, chance: random.Random) -> list[str]:
    """Return words that none of these is, by the letters that follow two letters in them."""
    follows: dict[str, list[str]] = {}
    for word in words:
        padded = _END + word + _END
        for at in range(1, len(padded)):
            follows.setdefault(padded[max(0, at - 2):at], []).append(padded[at])
            follows.setdefault(padded[at - 1:at], []).append(padded[at])
    known, letters = set(words), "".join(words)
    made: list[str] = []
    while len(made) < count:
        word = _END
        while len(word) < WORD_CHARACTERS_MAX and (len(word) == 1 or word[-1] != _END):
            # One letter in three follows a single letter: else the chain repeats its own words.
            context = word[-2:] if chance.random() < 0.66 else word[-1:]
            word += chance.choice(follows[context])
        word = word.strip(_END)
        while word in known:  # as it happens to short words, and where few letters follow others
            word += chance.choice(letters)
        if word not in known:
            known.add(word)
            made.append(word)
    return made


class Texts:
    """All languages, each made when it is first spoken; the words are the same for every seed."""

    def __init__(self) -> None:
        self._tongues: dict[str, Tongue] = {}
        self._sums = list(accumulate(language.share for language in LANGUAGES))

    def tongue(self, chance: random.Random) -> Tongue:
        """Return a language by the shares of the network."""
        number = bisect(self._sums, chance.random() * self._sums[-1])
        return self.spoken(LANGUAGES[number])

    def spoken_by_most(self) -> Tongue:
        """Return English."""
        return self.spoken(LANGUAGES[0])

    def spoken(self, language: Language) -> Tongue:
        """Return one language."""
        if language.code not in self._tongues:
            self._tongues[language.code] = Tongue(language, random.Random(language.code))
        return self._tongues[language.code]
