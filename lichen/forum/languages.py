"""The languages a post or comment can be in, by number.

Clients of the Lemmy API know languages by these numbers: 0 is undetermined, then the 183 two-letter
codes of ISO 639-1 in alphabetical order, each with the name its speakers give it.
"""

from typing import NamedTuple


class Language(NamedTuple):
    """One language: its number, its ISO 639-1 code and its own name for itself."""

    id: int
    code: str
    name: str


UNDETERMINED = 0

_NAMES = """
und Undetermined
aa Afaraf
ab аҧсуа бызшәа
ae avesta
af Afrikaans
ak Akan
am አማርኛ
an aragonés
ar اَلْعَرَبِيَّةُ
as অসমীয়া
av авар мацӀ
ay aymar aru
az azərbaycan dili
ba башҡорт теле
be беларуская мова
bg български език
bi Bislama
bm bamanankan
bn বাংলা
bo བོད་ཡིག
br brezhoneg
bs bosanski jezik
ca Català
ce нохчийн мотт
ch Chamoru
co corsu
cr ᓀᐦᐃᔭᐍᐏᐣ
cs čeština
cu ѩзыкъ словѣньскъ
cv чӑваш чӗлхи
cy Cymraeg
da dansk
de Deutsch
dv ދިވެހި
dz རྫོང་ཁ
ee Eʋegbe
el Ελληνικά
en English
eo Esperanto
es Español
et eesti
eu euskara
fa فارسی
ff Fulfulde
fi suomi
fj vosa Vakaviti
fo føroyskt
fr Français
fy Frysk
ga Gaeilge
gd Gàidhlig
gl galego
gn Avañe'ẽ
gu ગુજરાતી
gv Gaelg
ha هَوُسَ
he עברית
hi हिन्दी
ho Hiri Motu
hr Hrvatski
ht Kreyòl ayisyen
hu magyar
hy Հայերեն
hz Otjiherero
ia Interlingua
id Bahasa Indonesia
ie Interlingue
ig Asụsụ Igbo
ii ꆈꌠ꒿ Nuosuhxop
ik Iñupiaq
io Ido
is Íslenska
it Italiano
iu ᐃᓄᒃᑎᑐᑦ
ja 日本語
jv basa Jawa
ka ქართული
kg Kikongo
ki Gĩkũyũ
kj Kuanyama
kk қазақ тілі
kl kalaallisut
km ខេមរភាសា
kn ಕನ್ನಡ
ko 한국어
kr Kanuri
ks कश्मीरी
ku Kurdî
kv коми кыв
kw Kernewek
ky Кыргызча
la latine
lb Lëtzebuergesch
lg Luganda
li Limburgs
ln Lingála
lo ພາສາລາວ
lt lietuvių kalba
lu Kiluba
lv latviešu valoda
mg fiteny malagasy
mh Kajin M̧ajeļ
mi te reo Māori
mk македонски јазик
ml മലയാളം
mn Монгол хэл
mr मराठी
ms Bahasa Melayu
mt Malti
my ဗမာစာ
na Dorerin Naoero
nb Norsk bokmål
nd isiNdebele
ne नेपाली
ng Owambo
nl Nederlands
nn Norsk nynorsk
no Norsk
nr isiNdebele
nv Diné bizaad
ny chiCheŵa
oc occitan
oj ᐊᓂᔑᓈᐯᒧᐎᓐ
om Afaan Oromoo
or ଓଡ଼ିଆ
os ирон æвзаг
pa ਪੰਜਾਬੀ
pi पाऴि
pl Polski
ps پښتو
pt Português
qu Runa Simi
rm rumantsch grischun
rn Ikirundi
ro Română
ru Русский
rw Ikinyarwanda
sa संस्कृतम्
sc sardu
sd सिन्धी
se Davvisámegiella
sg yângâ tî sängö
si සිංහල
sk slovenčina
sl slovenščina
sm gagana fa'a Samoa
sn chiShona
so Soomaaliga
sq Shqip
sr српски језик
ss SiSwati
st Sesotho
su Basa Sunda
sv Svenska
sw Kiswahili
ta தமிழ்
te తెలుగు
tg тоҷикӣ
th ไทย
ti ትግርኛ
tk Türkmençe
tl Wikang Tagalog
tn Setswana
to faka Tonga
tr Türkçe
ts Xitsonga
tt татар теле
tw Twi
ty Reo Tahiti
ug ئۇيغۇرچە
uk Українська
ur اردو
uz Ўзбек
ve Tshivenḓa
vi Tiếng Việt
vo Volapük
wa walon
wo Wollof
xh isiXhosa
yi ייִדיש
yo Yorùbá
za Saɯ cueŋƅ
zh 中文
zu isiZulu
"""

LANGUAGES: tuple[Language, ...] = tuple(
    Language(number, *line.split(" ", 1))
    for number, line in enumerate(_NAMES.strip().splitlines())
)


def is_language(language_id: int) -> bool:
    """Say whether a number is that of a language."""
    return 0 <= language_id < len(LANGUAGES)


def codes_of(language_ids: tuple[int, ...]) -> tuple[str, ...]:
    """Return the codes of some languages, leaving out the undetermined one."""
    return tuple(LANGUAGES[number].code for number in language_ids if number != UNDETERMINED)
